//! What is left of a provider's error text.

use proptest::prelude::*;
use upstream::{REDACTED_BYTES_MAX, redact};

#[test]
fn the_credential_and_all_that_looks_like_one_is_taken_out() {
    for (text, credential, expected) in [
        ("", "k3y", ""),
        ("model not found", "k3y", "model not found"),
        ("model not found", "", "model not found"),
        // The credential, wherever it stands and however often.
        ("k3y", "k3y", "[redacted]"),
        ("no k3y, no \"k3y\"!", "k3y", "no [redacted], no \"[redacted]\"!"),
        ("k3yk3y", "k3y", "[redacted][redacted]"),
        ("ababa", "aba", "[redacted]"),
        ("K3Y", "k3y", "K3Y"),
        ("über k€y…", "k€y", "über [redacted]…"),
        (r#"{"key":"a\/b\"c"}"#, "a/b\"c", r#"{"key":"[redacted]"}"#),
        (r"a\b a\\b", r"a\b", "[redacted] [redacted]"),
        // Its beginning, where the text stops in the middle of it.
        ("bad key azure-12", "azure-1234", "bad key [redacted]"),
        ("bad key azur", "azure-1234", "bad key [redacted]"),
        ("bad key azu", "azure-1234", "bad key azu"),
        ("azure is down", "azure-1234", "azure is down"),
        // Keys of others.
        (
            "Incorrect API key provided: sk-proj-ab_c*****XYZ. See",
            "k3y",
            "Incorrect API key provided: [redacted]. See",
        ),
        ("'sk-a','SK-b'", "k3y", "'[redacted]','[redacted]'"),
        ("key=sk-live", "k3y", "key=[redacted]"),
        ("_sk-live", "k3y", "_[redacted]"),
        ("risk-averse task-1 disk-full", "k3y", "risk-averse task-1 disk-full"),
        ("sk- and sk", "k3y", "sk- and sk"),
        ("sk-abcdef", "sk-abc", "[redacted]"),
        // Bearer, in any case.
        (
            "Authorization: Bearer eyJ.a-b_c~d+e/f== is bad",
            "k3y",
            "Authorization: [redacted] is bad",
        ),
        ("bearer x BEARER\ty bEaReR:  z", "k3y", "[redacted] [redacted] [redacted]"),
        (r#"{"authorization":"bearer \"abc\""}"#, "k3y", r#"{"authorization":"[redacted]\""}"#),
        ("Bearer Bearer abc", "k3y", "[redacted]"),
        ("Bearer sk-abc.", "sk-abc", "[redacted]."),
        ("a bearer, that is", "k3y", "a bearer, that is"),
        ("forbearer x bearers y", "k3y", "forbearer x bearers y"),
        ("bearer", "k3y", "bearer"),
        // Secrets within and across each other.
        ("Bearer a b!", "a b", "[redacted]!"),
        ("Bearer xa b!", "a b", "[redacted]!"),
        ("Bearer k3y and on", "k3y and", "[redacted] on"),
    ] {
        assert_eq!(redact(text, credential), expected, "{text:?} with {credential:?}");
    }
}

#[test]
fn what_is_left_is_2_kib_cut_between_characters_and_no_secret_in_half() {
    let max = REDACTED_BYTES_MAX;
    let credential = "azure-0123456789";
    for (text, expected) in [
        ("x".repeat(max), "x".repeat(max)),
        ("x".repeat(max + 1), "x".repeat(max)),
        ("x".repeat(max - 1) + "é", "x".repeat(max - 1)),
        ("x".repeat(max - 2) + "é", "x".repeat(max - 2) + "é"),
        // The credential across the cut: whole, or not at all.
        ("x".repeat(max - 8) + credential, "x".repeat(max - 8)),
        ("x".repeat(max - 10) + credential, "x".repeat(max - 10) + "[redacted]"),
        ("x".repeat(max - 10) + credential + "y", "x".repeat(max - 10) + "[redacted]"),
        ("x".repeat(max - 9) + " Bearer abc", "x".repeat(max - 9) + " "),
        // What a secret's removal leaves room for is shown.
        (format!("sk-{}.", "y".repeat(max)) + " end", "[redacted]. end".to_owned()),
        (format!("sk-{}", "y".repeat(100 * max)), "[redacted]".to_owned()),
    ] {
        assert_eq!(redact(&text, credential), expected, "{} bytes", text.len());
    }
}

proptest! {
    #[test]
    fn the_credential_is_never_shown_whatever_is_around_it(
        before in "(\\PC|bearer |sk-|azure-){0,40}",
        after in "(\\PC|bearer |sk-|azure-){0,40}",
        credential in "(azure-|[a-z/+ é\"]){4,24}",
        cut in 0_usize..200,
    ) {
        let text = format!("{before}{credential}{after}");
        prop_assert!(!redact(&text, &credential).contains(&credential));
        let text = &text[..text.floor_char_boundary(cut)];
        prop_assert!(!redact(text, &credential).contains(&credential));
    }

    #[test]
    fn a_text_of_any_kind_comes_out_within_the_bound(text in "(\\PC|bearer |sk-){0,3000}") {
        prop_assert!(redact(&text, "sk-1").len() <= REDACTED_BYTES_MAX);
    }
}
