//! Waits for the disk on behalf of many: requests that come together share one sync (`hold_sync`).

use std::fs::File;
use std::io;
use std::sync::{Arc, mpsc};

use store::StoreError;
use tokio::sync::oneshot;

use crate::core::OnBroken;

type Waiter = oneshot::Sender<io::Result<()>>;

pub(super) struct Syncer {
    waiters: mpsc::Sender<Waiter>,
}

impl Syncer {
    pub(super) fn start(file: Arc<File>, on_broken: OnBroken) -> io::Result<Syncer> {
        let (waiters, queue) = mpsc::channel::<Waiter>();
        std::thread::Builder::new().name("hold-sync".into()).spawn(move || {
            while let Ok(first) = queue.recv() {
                let waiting: Vec<Waiter> = std::iter::once(first).chain(queue.try_iter()).collect();
                let outcome = file.sync_data();
                if let Err(error) = &outcome {
                    // The system may have dropped what it could not write and call the next sync a
                    // success: nothing in the file can be relied on any more.
                    on_broken(&StoreError::broken(error.to_string()));
                }
                for waiter in waiting {
                    let copy = match &outcome {
                        Ok(()) => Ok(()),
                        Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
                    };
                    // A waiter that is gone has left its hold to be released.
                    let _ = waiter.send(copy);
                }
            }
        })?;
        Ok(Syncer { waiters })
    }

    /// Returns once all that was written before the call is on the disk.
    pub(super) async fn synced(&self) -> io::Result<()> {
        let (done, wait) = oneshot::channel();
        let gone = || io::Error::other("the sync thread has ended");
        self.waiters.send(done).map_err(|_| gone())?;
        wait.await.map_err(|_| gone())?
    }
}
