//! What `top` shows, on a screen.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Paragraph, Row as ScreenRow, Table, TableState};

use super::view::{Holds, Row, Sort, View};
use crate::chart::{bar, nanos};
use crate::output::{NOTHING, dollars, dollars_or, plain, second, short};
use crate::table::Tone;

/// Cells of the bar beside a rate.
const BAR_CELLS: u16 = 10;
/// Lines above and below the table.
const HEAD_LINES: u16 = 4;
const FOOT_LINES: u16 = 1;

/// What a person has chosen, and what went wrong last.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    pub(super) sort: Sort,
    /// The first row that is shown.
    pub(super) from: usize,
    pub(super) failure: Option<String>,
}

/// Whether colours are shown.
#[derive(Clone, Copy)]
pub(super) struct Palette(pub(super) bool);

impl Palette {
    fn of(self, tone: Tone) -> Style {
        let style = Style::new();
        match tone {
            Tone::Usual => style,
            Tone::Faint => style.add_modifier(Modifier::DIM),
            _ if !self.0 => style,
            Tone::Good => style.fg(Color::Green),
            Tone::Careful => style.fg(Color::Yellow),
            Tone::Bad => style.fg(Color::Red),
        }
    }
}

/// Draws it all; before the first reading, that it is waited for.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    server: &str,
    view: Option<&View>,
    chosen: &Chosen,
    palette: Palette,
) {
    let [head, body, foot] = Layout::vertical([
        Constraint::Length(HEAD_LINES),
        Constraint::Min(1),
        Constraint::Length(FOOT_LINES),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(head_lines(server, view, chosen, palette)), head);
    if let Some(view) = view {
        let mut state = TableState::new().with_offset(chosen.from.min(view.keys.len()));
        frame.render_stateful_widget(table(view, chosen, palette), body, &mut state);
    }
    let keys = "q quit   r rate   u usage   l left   s next order   \u{2191}\u{2193} scroll";
    frame.render_widget(Paragraph::new(keys).style(palette.of(Tone::Faint)), foot);
}

fn head_lines<'a>(
    server: &str,
    view: Option<&View>,
    chosen: &'a Chosen,
    palette: Palette,
) -> Vec<Line<'a>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let title = Span::styled("tollgate top", bold);
    let Some(view) = view else {
        let state = chosen.failure.as_deref().unwrap_or("reading…");
        return vec![
            Line::from(vec![title, Span::raw(format!("  {server}"))]),
            Line::from(Span::styled(state, palette.of(Tone::Careful))),
        ];
    };
    let mut first = vec![title, Span::raw(format!("  {server}  {}", second(view.at)))];
    if let Some(failure) = &chosen.failure {
        first.push(Span::styled(format!("  {failure}"), palette.of(Tone::Bad)));
    }
    vec![
        Line::from(first),
        Line::from(vec![
            Span::styled(rate_told(view), bold),
            Span::raw(format!(
                "   today {}   in all {}   {} keys",
                dollars(view.usage_daily),
                dollars(view.usage),
                view.keys.len()
            )),
        ]),
        Line::from(holds_told(&view.holds)),
    ]
}

/// The rate of all keys together.
pub(super) fn rate_told(view: &View) -> String {
    match view.usd_per_minute {
        Some(rate) => format!("{} a minute", dollars(rate)),
        None => "rate after the next reading".to_owned(),
    }
}

/// What is on hold, or why that is not known.
pub(super) fn holds_told(holds: &Holds) -> String {
    match holds {
        Holds::Metrics { open, credits, byok } => {
            let own = match byok.is_zero() {
                true => String::new(),
                false => format!(" and {} of own credentials", dollars(*byok)),
            };
            let requests = if *open == 1 { "request" } else { "requests" };
            format!("on hold {}{own} in {open} {requests}", dollars(*credits))
        }
        Holds::ControlSocket { unresolved, charged } => format!(
            "holds in flight unknown; {unresolved} charges of {} wait for `tollgate holds`",
            dollars(*charged)
        ),
        Holds::Unavailable { why } => format!("holds unavailable: {why}"),
    }
}

fn table(view: &View, chosen: &Chosen, palette: Palette) -> Table<'static> {
    let most = view.keys.iter().filter_map(|row| row.usd_per_minute.map(nanos)).max().unwrap_or(0);
    let head = [
        "KEY".to_owned(),
        "HASH".to_owned(),
        "STATE".to_owned(),
        marked("$/MIN", chosen.sort == Sort::Rate),
        String::new(),
        "TODAY".to_owned(),
        marked("SPENT", chosen.sort == Sort::Usage),
        marked("LEFT", chosen.sort == Sort::Left),
        "RESET".to_owned(),
    ];
    let head = ScreenRow::new(head).style(Style::new().add_modifier(Modifier::BOLD));
    let rows = view.keys.iter().map(|row| screen_row(row, most, palette));
    let widths = [
        Constraint::Min(12),
        Constraint::Length(12),
        Constraint::Length(8),
        Constraint::Length(13),
        Constraint::Length(BAR_CELLS),
        Constraint::Length(13),
        Constraint::Length(13),
        Constraint::Length(13),
        Constraint::Length(8),
    ];
    Table::new(rows, widths).header(head)
}

fn marked(name: &str, is_sorted: bool) -> String {
    if is_sorted { format!("{name} \u{25bc}") } else { name.to_owned() }
}

fn screen_row(row: &Row, most: i64, palette: Palette) -> ScreenRow<'static> {
    let rate = row.usd_per_minute;
    let tone = match row.limit_remaining {
        Some(left) if left.is_zero() || left.is_negative() => Tone::Bad,
        _ => Tone::Usual,
    };
    ScreenRow::new([
        Cell::new(plain(&row.name)),
        Cell::new(short(&row.hash)).style(palette.of(Tone::Faint)),
        Cell::new(row.state).style(palette.of(row.tone)),
        Cell::new(dollars_or(rate, NOTHING)),
        Cell::new(rate.map_or(String::new(), |rate| bar(nanos(rate), most, BAR_CELLS)))
            .style(palette.of(Tone::Careful)),
        Cell::new(dollars(row.usage_daily)),
        Cell::new(dollars(row.usage)),
        Cell::new(dollars_or(row.limit_remaining, NOTHING)).style(palette.of(tone)),
        Cell::new(row.limit_reset.clone().unwrap_or(NOTHING.to_owned())),
    ])
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::buffer::Cell;

    use super::super::view::tests::{key, reading};
    use super::super::view::view;
    use super::*;

    /// What stands on a screen of that size, line by line.
    fn screen(view: Option<&View>, chosen: &Chosen) -> String {
        let mut terminal = Terminal::new(TestBackend::new(112, 9)).unwrap();
        let draw =
            |frame: &mut Frame<'_>| draw(frame, "http://h/api/v1", view, chosen, Palette(true));
        terminal.draw(draw).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let lines = buffer.content().chunks(112).map(|cells| {
            let line: String = cells.iter().map(Cell::symbol).collect();
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn keys_stand_in_order_with_their_rates_and_what_is_on_hold_above_them() {
        let before = vec![key("web", "1", None), key("ci", "4", Some(("5", "1")))];
        let after = vec![key("web", "2", None), key("ci", "5", Some(("5", "0")))];
        let readings = [reading(0, before), reading(30, after)];
        let view = view(&readings, Sort::Usage).unwrap();
        let chosen = Chosen { sort: Sort::Usage, ..Chosen::default() };
        insta::assert_snapshot!(screen(Some(&view), &chosen), @r"
        tollgate top  http://h/api/v1  2026-11-21T22:50:30Z
        $4.00 a minute   today $7.00   in all $7.00   2 keys
        on hold $0.25 in 3 requests

        KEY            HASH         STATE    $/MIN                    TODAY         SPENT ▼       LEFT          RESET
        ci             636900000000 spent    $2.00         ██████████ $5.00         $5.00         $0.00         –
        web            776562000000 active   $2.00         ██████████ $2.00         $2.00         –             –

        q quit   r rate   u usage   l left   s next order   ↑↓ scroll
        ");
    }

    #[test]
    fn before_the_first_reading_it_is_waited_for_and_a_failure_is_shown() {
        let failed = Chosen { failure: Some("can't connect".to_owned()), ..Chosen::default() };
        assert!(screen(None, &Chosen::default()).contains("reading…"));
        assert!(screen(None, &failed).contains("can't connect"));
    }
}
