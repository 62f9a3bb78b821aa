//! The body of an answer as the connection takes it, piece by piece.
//! It sees what hyper took and when hyper let go, and so it is what ends the entry in the book.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

use super::Shared;
use super::gate::Point;
use super::plan::{Close, Piece, Plan};
use super::tally::{Answering, Ending};

/// A planned body being played.
pub(super) struct PlayedBody {
    pieces: mpsc::Receiver<Piece>,
    pieces_left: usize,
    is_cut: bool,
    is_flushed: bool,
    answering: Answering,
}

impl PlayedBody {
    /// Starts playing the plan's pieces for that model; what is planned for the head is done.
    pub(super) fn play(
        shared: &Arc<Shared>,
        model: String,
        plan: Plan,
        mut answering: Answering,
    ) -> PlayedBody {
        let pieces_left = plan.pieces.len();
        let is_cut = plan.close == Some(Close::AfterPieces);
        if plan.close == Some(Close::InHead) {
            answering.end(Ending::Cut);
        } else if pieces_left == 0 && !is_cut {
            answering.end(Ending::Complete);
        }
        let (sender, pieces) = mpsc::channel(1);
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = send_pieces(&shared, &model, plan, &sender) => {}
            }
        });
        PlayedBody { pieces, pieces_left, is_cut, is_flushed: false, answering }
    }
}

impl Body for PlayedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.pieces_left == 0 {
            if !self.is_cut {
                return Poll::Ready(None);
            }
            if !self.is_flushed {
                // hyper throws away what it has not flushed when a body fails; it flushes one that waits.
                self.is_flushed = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.answering.end(Ending::Cut);
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        let piece = ready!(self.pieces.poll_recv(cx));
        Poll::Ready(piece.map(|piece| {
            self.pieces_left -= 1;
            self.answering.sent(piece.completion_tokens);
            if self.pieces_left == 0 && !self.is_cut {
                self.answering.end(Ending::Complete);
            }
            Ok(Frame::data(piece.bytes))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces_left == 0 && !self.is_cut
    }
}

async fn send_pieces(shared: &Shared, model: &str, plan: Plan, sender: &mpsc::Sender<Piece>) {
    let pace = plan.pace;
    for (event, piece) in plan.pieces.into_iter().enumerate() {
        let pause = if event == 0 { pace.before_first_event } else { pace.between_events };
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        shared.gates.pass(model, Point::Event(event)).await;
        if pace.stall_at == Some(event) {
            std::future::pending::<()>().await;
        }
        if sender.send(piece).await.is_err() {
            return;
        }
    }
}
