//! The full screen of `top`: what is read comes in, keys are pressed, and the terminal is given back
//! as it was, whatever ends it.

use std::io::IsTerminal as _;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::draw::{Chosen, Palette, draw};
use super::view::{Reading, Sort, kept, view};
use crate::output::Misused;

/// How long a key or a reading waits at most until it is seen.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What comes to the screen from elsewhere.
pub(super) enum News {
    Read(Box<Reading>),
    Failed(String),
    /// A signal, to end.
    End,
}

/// Refuses where there is no terminal to fill.
pub(super) fn is_there() -> Result<()> {
    if std::io::stdout().is_terminal() {
        return Ok(());
    }
    let why = "`top` fills a terminal, and there is none; `--once` prints one table, `--json` a line \
               for each reading";
    Err(Misused(why.to_owned()).into())
}

/// Shows what comes until a person or a signal ends it.
pub(super) fn show(server: &str, sort: Sort, news: &Receiver<News>) -> Result<()> {
    // From here on a panic gives the terminal back before it is told.
    let mut terminal = ratatui::try_init().context("can't take the terminal")?;
    let palette =
        Palette(anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never);
    let mut chosen = Chosen { sort, ..Chosen::default() };
    let mut readings: Vec<Reading> = Vec::new();
    let ended = loop {
        let view = view(&readings, chosen.sort);
        if let Err(error) =
            terminal.draw(|frame| draw(frame, server, view.as_ref(), &chosen, palette))
        {
            break Err(error.into());
        }
        match pressed(&mut chosen) {
            Ok(true) => break Ok(()),
            Ok(false) => {}
            Err(error) => break Err(error),
        }
        match news.try_recv() {
            Ok(News::Read(reading)) => {
                readings.push(*reading);
                kept(&mut readings);
                chosen.failure = None;
            }
            Ok(News::Failed(why)) => chosen.failure = Some(why),
            Ok(News::End) | Err(TryRecvError::Disconnected) => break Ok(()),
            Err(TryRecvError::Empty) => {}
        }
    };
    ratatui::try_restore().context("can't give the terminal back")?;
    ended
}

/// Waits a moment for a key; whether it was one to end by.
fn pressed(chosen: &mut Chosen) -> Result<bool> {
    if !event::poll(LOOK_EVERY)? {
        return Ok(false);
    }
    match event::read()? {
        Event::Key(key) if key.kind != KeyEventKind::Release => Ok(act(key, chosen)),
        _ => Ok(false),
    }
}

/// Does what a key is for; whether that is to end.
fn act(key: KeyEvent, chosen: &mut Chosen) -> bool {
    const PAGE: usize = 10;
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return true,
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return true,
        KeyCode::Char('r') => chosen.sort = Sort::Rate,
        KeyCode::Char('u') => chosen.sort = Sort::Usage,
        KeyCode::Char('l') => chosen.sort = Sort::Left,
        KeyCode::Char('s') => chosen.sort = chosen.sort.next(),
        KeyCode::Down | KeyCode::Char('j') => chosen.from = chosen.from.saturating_add(1),
        KeyCode::Up | KeyCode::Char('k') => chosen.from = chosen.from.saturating_sub(1),
        KeyCode::PageDown => chosen.from = chosen.from.saturating_add(PAGE),
        KeyCode::PageUp => chosen.from = chosen.from.saturating_sub(PAGE),
        KeyCode::Home => chosen.from = 0,
        _ => {}
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_choose_the_order_scroll_and_end() {
        let mut chosen = Chosen::default();
        let press = |code, chosen: &mut Chosen| act(KeyEvent::from(code), chosen);
        for (code, sort) in
            [('u', Sort::Usage), ('l', Sort::Left), ('r', Sort::Rate), ('s', Sort::Usage)]
        {
            assert!(!press(KeyCode::Char(code), &mut chosen));
            assert_eq!(chosen.sort, sort);
        }
        press(KeyCode::Down, &mut chosen);
        press(KeyCode::Up, &mut chosen);
        press(KeyCode::Up, &mut chosen);
        assert_eq!(chosen.from, 0);
        assert!(press(KeyCode::Char('q'), &mut chosen));
        assert!(!press(KeyCode::Char('c'), &mut chosen));
        assert!(act(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), &mut chosen));
    }
}
