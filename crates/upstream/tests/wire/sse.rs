//! Events are the same however the stream is cut.

use bytes::Bytes;
use proptest::prelude::*;
use upstream::{Event, Events, LINE_BYTES_MAX, LineTooLong};

fn events<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    line_bytes_max: usize,
) -> Result<Vec<Event>, LineTooLong> {
    let mut events = Events::new(line_bytes_max);
    let mut all = Vec::new();
    for piece in pieces {
        events.push(Bytes::copy_from_slice(piece));
        while let Some(event) = events.next()? {
            all.push(event);
        }
    }
    all.extend(events.finish()?);
    Ok(all)
}

fn data(stream: &[u8]) -> Vec<String> {
    let events = events([stream], LINE_BYTES_MAX).unwrap();
    events.iter().map(|event| String::from_utf8(event.data.to_vec()).unwrap()).collect()
}

#[test]
fn the_format_is_read_in_all_its_forms() {
    let cases: [(&str, &[&str]); 18] = [
        ("data: a\n\ndata: b\n\n", &["a", "b"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]),
        ("data: a\r\rdata: b\r\r", &["a", "b"]),
        ("data: a\r\ndata: b\r\n\r\n", &["a\nb"]),
        ("data: a\rdata: b\r\r", &["a\nb"]),
        ("data: a\r\n\ndata: b\n\r\n", &["a", "b"]),
        ("data:a\n\ndata:  b\n\n", &["a", " b"]),
        ("data: a\ndata: b\ndata:\ndata: c\n\n", &["a\nb\n\nc"]),
        ("\u{feff}data: a\n\n", &["a"]),
        ("data: a\n\n\u{feff}data: b\n\n", &["a"]),
        (": comment\n\ndata: a\n: within\n\n:\n\n", &["a"]),
        ("id: 7\nretry: 10\ndata: a\nunknown\nunknown: x\n\n", &["a"]),
        ("data\n\ndata:\n\ndata: \n\n", &[]),
        ("event: ping\n\n", &[]),
        ("", &[]),
        ("\n\n\r\r\n", &[]),
        ("data: a\n", &["a"]),
        ("data: a\n\ndata: [DONE]", &["a", "[DONE]"]),
    ];
    for (stream, expected) in cases {
        assert_eq!(data(stream.as_bytes()), expected, "{stream:?}");
    }
}

#[test]
fn an_event_keeps_its_name_and_no_other() {
    let stream = b"event: error\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n";
    let events = events([&stream[..]], LINE_BYTES_MAX).unwrap();
    let names: Vec<_> = events.iter().map(|event| event.name.as_deref()).collect();
    assert_eq!(names, [Some(&b"error"[..]), None, None]);
}

#[test]
fn the_end_of_the_stream_is_told_from_data() {
    let events = events([&b"data: [DONE] \n\ndata: {\"a\":\"[DONE]\"}\n\n"[..]], 100).unwrap();
    assert_eq!(events.iter().map(Event::is_done).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn an_event_within_a_chunk_is_not_copied() {
    let chunk = Bytes::from_static(b"data: abc\n\n");
    let mut events = Events::new(LINE_BYTES_MAX);
    events.push(chunk.clone());
    let event = events.next().unwrap().unwrap();
    assert_eq!(event.data.as_ptr(), chunk[6..].as_ptr());
}

#[test]
fn a_line_and_an_event_are_bounded() {
    let bound = Err(LineTooLong { line_bytes_max: 10 });
    assert!(events([&b"data: 1234\n\n"[..]], 10).is_ok());
    assert_eq!(events([&b"data: 12345\n\n"[..]], 10), bound);
    assert_eq!(events([&b": comments too\n"[..]], 10), bound);
    assert_eq!(events([&b"data: 1"[..], b"2345", b"6"], 10), bound);
    assert_eq!(events([&b"data: 1234\ndata: 1234\ndata: 1\n\n"[..]], 10), bound);
    assert!(events([&b"data: 1234\ndata: 1234\n\n"[..]], 10).is_ok());
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        stream in "(data: ?|event: e|: c|\n|\r\n|\r|\u{feff}|a|é| |\\{\\}){0,40}",
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let stream = stream.as_bytes();
        let whole = events([stream], LINE_BYTES_MAX).unwrap();
        let each_byte = events(stream.chunks(1), LINE_BYTES_MAX).unwrap();
        prop_assert_eq!(&each_byte, &whole);
        let mut places: Vec<_> = cuts.drain(..).map(|cut| cut.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let pieces = places.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(&events(pieces, LINE_BYTES_MAX).unwrap(), &whole);
    }
    #[test]
    fn the_three_line_ends_mean_the_same(stream in "(data: ?|event: e|: c|\n|a|é| |\\{\\}){0,40}") {
        let feeds = events([stream.as_bytes()], LINE_BYTES_MAX).unwrap();
        for line_end in ["\r\n", "\r"] {
            let other = stream.replace('\n', line_end);
            prop_assert_eq!(&events([other.as_bytes()], LINE_BYTES_MAX).unwrap(), &feeds);
        }
    }
}
