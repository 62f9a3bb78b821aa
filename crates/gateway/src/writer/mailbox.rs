//! Outcomes on their way from the writer to the threads that wait for them, all of a batch at once:
//! waking another thread costs a call to the system, however little it is told.

use store::Outcome;
use tokio::sync::mpsc;

use super::Done;

type Letters = Vec<(Done, Outcome)>;

/// Where one thread has the outcomes of its settlements delivered.
#[derive(Clone, Debug)]
pub struct Mailbox(mpsc::UnboundedSender<Letters>);

impl Mailbox {
    /// A mailbox of the runtime it is called in, whose tasks are the ones that wait.
    pub fn open() -> Mailbox {
        // Bounded by the requests in flight: each has at most one letter under way.
        let (post, mut letters) = mpsc::unbounded_channel::<Letters>();
        tokio::spawn(async move {
            while let Some(letters) = letters.recv().await {
                hand_over(letters);
            }
        });
        Mailbox(post)
    }
}

/// The outcomes of one batch, by mailbox; there are as many as worker threads.
#[derive(Default)]
pub(super) struct Post(Vec<(Mailbox, Letters)>);

impl Post {
    /// Adds what `done` waits for; without a mailbox it is told at once.
    pub(super) fn add(&mut self, mailbox: Option<Mailbox>, done: Done, outcome: Outcome) {
        let Some(mailbox) = mailbox else { return hand_over(vec![(done, outcome)]) };
        match self.0.iter_mut().find(|(other, _)| other.0.same_channel(&mailbox.0)) {
            Some((_, letters)) => letters.push((done, outcome)),
            None => self.0.push((mailbox, vec![(done, outcome)])),
        }
    }

    /// Sends all that was added.
    pub(super) fn deliver(self) {
        for (mailbox, letters) in self.0 {
            // A thread that has ended waits for nothing; what was written stands all the same.
            let _ = mailbox.0.send(letters);
        }
    }
}

fn hand_over(letters: Letters) {
    for (done, outcome) in letters {
        // Whoever asked may be gone; the change stands all the same.
        let _ = done.send(Ok(outcome));
    }
}
