//! Finds where a JSON value ends in text that comes in pieces, without keeping any of it.
//! Brackets are matched and strings skipped; what stands between them is not checked further.

use memchr::memchr2;

use super::Malformed;

/// An answer nests at most this deep, its own object counted.
pub(super) const DEPTH_MAX: u32 = 128;

/// A value whose end has not come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ValueEnd {
    /// The open brackets inside the value, the innermost lowest: 1 for an object's.
    brackets: u128,
    depth: u32,
    in_string: bool,
    /// The last byte was a backslash in a string.
    escaped: bool,
    /// The value is neither a string nor in brackets: it ends before what cannot belong to it.
    is_bare: bool,
}

impl ValueEnd {
    /// The state before a value that begins with `first`.
    pub(super) fn before(first: u8) -> Result<ValueEnd, Malformed> {
        match first {
            b'"' | b'{' | b'[' => Ok(ValueEnd::default()),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                Ok(ValueEnd { is_bare: true, ..ValueEnd::default() })
            }
            _ => Err(Malformed { fault: "has a value that is no JSON" }),
        }
    }

    /// Reads on: how many of `bytes` belong to the value, and whether it ended with them.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<(usize, bool), Malformed> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.in_string {
                at += self.skip_string(bytes.get(at..).unwrap_or_default());
                if !self.in_string && self.depth == 0 {
                    return Ok((at, true));
                }
                continue;
            }
            match byte {
                b'"' if !self.is_bare => self.in_string = true,
                b'{' | b'[' if !self.is_bare => self.open(byte == b'{')?,
                b'}' | b']' if !self.is_bare => {
                    self.close(byte == b'}')?;
                    if self.depth == 0 {
                        return Ok((at + 1, true));
                    }
                }
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b'}' if self.is_bare => {
                    return Ok((at, true));
                }
                byte if self.is_bare && !is_bare_byte(byte) => {
                    return Err(Malformed { fault: "has a value that is no JSON" });
                }
                _ => {}
            }
            at += 1;
        }
        Ok((at, false))
    }

    /// Skips to the end of the string or of the bytes.
    fn skip_string(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            at = 1;
        }
        while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            at += found + 1;
            if bytes.get(at - 1) == Some(&b'"') {
                self.in_string = false;
                return at;
            }
            if at == bytes.len() {
                self.escaped = true;
                return at;
            }
            at += 1;
        }
        bytes.len()
    }

    fn open(&mut self, is_object: bool) -> Result<(), Malformed> {
        // One level is the answer's own object.
        if self.depth + 1 == DEPTH_MAX {
            return Err(Malformed { fault: "is nested too deep" });
        }
        self.depth += 1;
        self.brackets = self.brackets << 1 | u128::from(is_object);
        Ok(())
    }

    fn close(&mut self, is_object: bool) -> Result<(), Malformed> {
        if self.depth == 0 || (self.brackets & 1 == 1) != is_object {
            return Err(Malformed { fault: "has brackets that do not match" });
        }
        self.depth -= 1;
        self.brackets >>= 1;
        Ok(())
    }
}

fn is_bare_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}
