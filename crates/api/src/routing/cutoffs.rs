//! Bounds on how quick an endpoint is, at one percentile or several.

use std::time::Duration;

use crate::{Field, Invalid};

/// The percentiles that a bound may be set at.
pub const PERCENTILES: [u8; 4] = [50, 75, 90, 99];

/// A bound at each of [`PERCENTILES`], in thousandths of the unit it was given in; all must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs(pub [Option<u64>; 4]);

impl Cutoffs {
    /// A number, which is the median's bound, or an object of bounds; `None` where it has none.
    pub(super) fn read(field: &Field<'_>) -> Result<Option<Cutoffs>, Invalid> {
        let mut bounds = [None; 4];
        if field.is_object() {
            let object = field.object()?;
            for (bound, percentile) in bounds.iter_mut().zip(PERCENTILES) {
                let name = format!("p{percentile}");
                let given = object.field(&name).given().and_then(Field::or_null);
                *bound = given.map(|field| thousandths(&field, NUMBER)).transpose()?;
            }
        } else {
            let allowed = format!("{NUMBER}, or an object of p50, p75, p90 and p99");
            bounds[0] = Some(thousandths(field, &allowed)?);
        }
        Ok(Some(Cutoffs(bounds)).filter(|_| bounds.iter().any(Option::is_some)))
    }
}

const NUMBER: &str = "a number from 0 up";

fn thousandths(field: &Field<'_>, allowed: &str) -> Result<u64, Invalid> {
    let number = field.number(allowed)?;
    // No money: a speed is a measurement. What is past a duration is past any speed, too.
    let most = Duration::from_millis(u64::MAX);
    let scaled = Duration::try_from_secs_f64(number).unwrap_or(most);
    Ok(u64::try_from(scaled.as_millis()).unwrap_or(u64::MAX))
}
