//! Which trace a request belongs to, by W3C Trace Context, and whether it is kept.

use http::HeaderMap;

use crate::entropy::{Entropy, bytes};

/// A request's place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceContext {
    pub(super) trace: [u8; 16],
    /// Its own span.
    pub(super) span: [u8; 8],
    /// The client's span that it continues.
    pub(super) parent: Option<[u8; 8]>,
}

/// What a `traceparent` header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    trace: [u8; 16],
    span: [u8; 8],
    is_sampled: bool,
}

/// Which traces are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sampling {
    /// Of 2^63 traces that begin here, so many are kept.
    kept_of_all: u64,
    /// A trace that a client began is kept where the client keeps it.
    follows_parent: bool,
}

impl Sampling {
    /// Keeps `ratio` of the traces that begin here, from 0 to 1.
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of traces, and no money"
    )]
    pub(super) fn new(ratio: f64, follows_parent: bool) -> Sampling {
        let kept_of_all = (ratio.clamp(0.0, 1.0) * ALL as f64) as u64;
        Sampling { kept_of_all, follows_parent }
    }

    /// The context of a request with these headers, if its trace is kept.
    pub(super) fn begin(self, headers: &HeaderMap, entropy: &dyn Entropy) -> Option<TraceContext> {
        let parent = parent(headers);
        let is_kept = match parent {
            Some(parent) if self.follows_parent => parent.is_sampled,
            _ if self.kept_of_all == 0 => false,
            _ if self.kept_of_all >= ALL => true,
            // As OpenTelemetry's own sampler has it, so that all along a trace decide alike.
            Some(parent) => self.keeps(parent.trace),
            None => {
                let trace = bytes(entropy);
                return self.keeps(trace).then(|| TraceContext {
                    trace,
                    span: bytes(entropy),
                    parent: None,
                });
            }
        };
        is_kept.then(|| TraceContext {
            trace: parent.map_or_else(|| bytes(entropy), |parent| parent.trace),
            span: bytes(entropy),
            parent: parent.map(|parent| parent.span),
        })
    }

    fn keeps(self, trace: [u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace;
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1 < self.kept_of_all
    }
}

const ALL: u64 = 1 << 63;

/// The client's span, where it sent a `traceparent` that is well-formed; a later version may have
/// more to say after what is known.
fn parent(headers: &HeaderMap) -> Option<Parent> {
    let mut values = headers.get_all("traceparent").iter();
    let text = values.next()?.to_str().ok()?.trim();
    if values.next().is_some() {
        return None;
    }
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let [version] = hex::<1>(version)?;
    if version == 0xff || (version == 0 && parts.next().is_some()) {
        return None;
    }
    let (trace, span, [flags]) = (hex(trace)?, hex(span)?, hex::<1>(flags)?);
    let is_real = trace != [0; 16] && span != [0; 8];
    is_real.then_some(Parent { trace, span, is_sampled: flags & 1 == 1 })
}

/// Lower-case hex digits, exactly as many as fill the bytes.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.as_bytes().iter().all(is_hex) {
        return None;
    }
    let mut parsed = [0; N];
    for (byte, place) in parsed.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(place..place + 2)?, 16).ok()?;
    }
    Some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(1..).for_each(|(byte, number)| *byte = number);
        }
    }

    fn headers(parents: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for parent in parents {
            headers.append("traceparent", parent.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_clients_trace_goes_on_where_the_client_keeps_it() {
        let sampling = Sampling::new(0.0, true);
        let kept = headers(&[&format!("00-{TRACE}-{SPAN}-01")]);
        let context = sampling.begin(&kept, &Counting).unwrap();
        assert_eq!(context.trace, hex(TRACE).unwrap());
        assert_eq!(context.parent, hex(SPAN));
        assert_eq!(context.span, [1, 2, 3, 4, 5, 6, 7, 8]);
        let unkept = headers(&[&format!("00-{TRACE}-{SPAN}-00")]);
        assert_eq!(Sampling::new(1.0, true).begin(&unkept, &Counting), None);
        let context = Sampling::new(1.0, false).begin(&unkept, &Counting).unwrap();
        assert_eq!(context.parent, hex(SPAN), "kept by its own choice, and still the client's");
    }

    #[test]
    fn what_is_no_traceparent_begins_a_trace_of_its_own() {
        for wrong in [
            "",
            "00",
            &format!("00-{TRACE}-{SPAN}"),
            &format!("00-{TRACE}-{SPAN}-01-more"),
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("00-{}-{SPAN}-01", "0".repeat(32)),
            &format!("00-{TRACE}-{}-01", "0".repeat(16)),
            &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-{SPAN}-1"),
            &format!("00-{TRACE}é-{SPAN}-01"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", http::HeaderValue::from_bytes(wrong.as_bytes()).unwrap());
            let context = Sampling::new(1.0, true).begin(&headers, &Counting).unwrap();
            assert_eq!(context.parent, None, "{wrong}");
        }
        let twice = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(parent(&headers(&[&twice, &twice])), None);
        assert!(parent(&headers(&[&format!("01-{TRACE}-{SPAN}-01-more")])).is_some());
    }

    #[test]
    fn a_share_of_traces_is_kept_by_their_ids() {
        let low = [0; 16];
        let high = [0xff; 16];
        for (ratio, keeps) in [(0.0, [false, false]), (0.5, [true, false]), (1.0, [true, true])] {
            let sampling = Sampling::new(ratio, false);
            assert_eq!([low, high].map(|trace| sampling.keeps(trace)), keeps, "{ratio}");
        }
        assert_eq!(Sampling::new(0.25, true).kept_of_all, 1 << 61);
        assert_eq!(Sampling::new(f64::NAN, true).kept_of_all, 0);
    }
}
