//! What every backend promises, as checks that each runs in its tests.
//! A check is named for the promise; it gets an empty store and panics where the promise is broken.

mod activity;
mod audit;
mod audit_log;
mod batches;
mod byok;
mod corrections;
mod endpoint_marks;
mod entries;
mod export;
mod idempotency;
mod keys;
mod management_keys;
mod members;
mod retention;
pub mod sample;
mod snapshot;
mod workspaces;

use std::ops::Deref;
use std::thread;

pub use self::audit::{audit_names_a_planted_difference, audit_names_a_workspace};
use crate::Store;

macro_rules! checks {
    ($($module:ident: $($name:ident),+;)+) => {
        &[$($((
            concat!(stringify!($module), "::", stringify!($name)),
            $module::$name as Check,
        ),)+)+]
    };
}

type Check = fn(&dyn Store);

/// Every check, by name.
const CHECKS: &[(&str, Check)] = checks! {
    activity:
        rows_of_a_day_and_an_endpoint_add_up,
        workspaces_are_told_apart_where_that_is_asked_for,
        only_what_was_asked_for_is_counted,
        what_a_deleted_key_was_charged_counts_for_ever,
        a_sum_past_the_largest_amount_stays_at_it;
    audit:
        the_book_agrees_after_every_kind_of_change;
    audit_log:
        edits_that_happened_are_recorded_newest_first,
        only_the_rows_asked_for_are_read_page_by_page,
        edits_that_did_not_happen_leave_no_row;
    batches:
        outcomes_come_in_the_order_of_the_changes,
        a_change_that_fails_leaves_nothing_and_disturbs_no_other,
        an_empty_batch_is_no_error,
        of_racing_settlements_exactly_one_is_first,
        a_report_is_of_one_moment;
    byok:
        a_credential_reads_back_as_it_was_made,
        an_update_of_a_credential_replaces_it_and_raises_its_version,
        a_deleted_credential_is_gone_for_ever_and_its_secret_with_it,
        a_workspace_that_is_deleted_takes_its_credentials_along,
        all_live_secrets_are_encrypted_anew_or_none;
    corrections:
        a_correction_books_the_difference_and_dates_it_as_the_original,
        a_correction_counts_no_request_and_is_no_use,
        a_key_comes_with_what_it_had_spent_or_not_at_all,
        correcting_to_the_same_cost_books_a_row_of_nothing,
        correcting_what_is_not_there_is_missing,
        a_correction_sees_the_settlement_before_it_in_its_batch,
        a_difference_past_the_largest_amount_is_refused,
        a_settlement_that_comes_again_after_its_correction_changes_nothing;
    endpoint_marks:
        marks_of_an_endpoint_add_up_in_any_order,
        a_cleared_mark_is_gone;
    entries:
        a_row_reads_back_as_it_was_written,
        the_first_settlement_wins,
        a_repeat_in_one_batch_counts_once,
        a_generation_lists_attempts_in_order_each_with_its_corrections,
        what_is_charged_to_a_key_that_is_gone_is_kept,
        what_is_uncertain_is_listed_oldest_first_until_it_is_corrected,
        a_sum_past_the_largest_amount_stops_nothing;
    export:
        everything_is_handed_out_in_its_order,
        a_commit_meanwhile_is_not_seen_and_does_not_wait,
        an_error_of_the_sink_ends_the_export;
    idempotency:
        a_repeat_is_answered_as_the_first_was,
        a_repeat_in_one_batch_makes_one_key,
        an_expired_answer_is_forgotten,
        a_key_that_was_not_made_keeps_no_answer;
    keys:
        a_key_reads_back_as_it_was_made,
        a_hash_that_was_ever_known_is_refused,
        an_update_replaces_the_settings_and_raises_the_version,
        an_update_from_another_version_is_refused,
        an_update_may_not_take_the_second_hash_of_another,
        a_second_hash_that_was_given_up_stays_its_keys,
        a_deleted_key_is_gone_for_ever,
        a_key_can_be_looked_up_even_when_it_is_deleted,
        an_edit_leaves_what_was_spent,
        keys_are_listed_newest_first_and_page_by_page,
        the_list_leaves_out_what_was_not_asked_for;
    management_keys:
        a_management_key_is_made_once,
        a_revoked_management_key_stays_known;
    members:
        a_user_is_added_once_and_listed_by_when_that_was,
        a_removed_user_is_no_member_any_more_and_may_come_back,
        a_user_with_live_keys_is_not_removed,
        members_are_added_once_and_listed_by_when_that_was,
        members_are_changed_from_the_version_that_was_seen,
        a_member_with_live_keys_in_the_workspace_is_not_removed,
        a_deleted_workspace_has_no_members;
    retention:
        sealing_changes_no_figure,
        one_row_stands_for_a_day_key_model_and_provider,
        what_was_sealed_counts_nothing_when_it_is_settled_again,
        a_repeat_after_the_sealing_in_one_batch_counts_nothing,
        what_is_unresolved_is_spared_until_it_is_corrected,
        a_generation_is_sealed_whole_and_what_is_young_is_spared,
        batches_are_bounded_and_go_on_where_the_last_one_ended,
        a_sealing_is_recorded_where_it_sealed_anything;
    snapshot:
        spend_is_split_at_the_day_asked_for,
        the_newest_days_are_those_with_rows,
        spend_falls_in_the_day_of_its_admission_in_whatever_order_it_comes,
        the_last_use_is_the_latest_admission;
    workspaces:
        a_workspace_reads_back_as_it_was_made,
        no_two_live_workspaces_share_a_slug,
        a_changed_workspace_has_a_higher_version,
        a_workspace_with_live_keys_is_not_deleted,
        the_default_workspace_is_not_deleted,
        a_deleted_workspace_is_gone_for_ever_and_its_spend_stays,
        a_workspace_has_one_budget_of_each_reset,
        a_budget_is_changed_from_the_version_it_was_made_from,
        what_is_spent_counts_where_it_was_admitted,
        its_spend_is_split_at_the_day_asked_for;
};

/// Runs every check on a store of its own, fresh from `open`, and panics with the names of those
/// that failed.
pub fn run<S>(open: impl Fn() -> S)
where
    S: Deref<Target: Store + Sized>,
{
    let fails = |name: &str, check: Check| {
        let opened = open();
        let store: &dyn Store = &*opened;
        // A thread of its own puts the check's name before what it says when it panics.
        thread::scope(|scope| {
            let thread = thread::Builder::new().name(name.to_owned());
            let running = thread.spawn_scoped(scope, || check(store));
            running.expect("a thread starts").join().is_err()
        })
    };
    let failed: Vec<&str> =
        CHECKS.iter().filter(|(name, check)| fails(name, *check)).map(|(name, _)| *name).collect();
    assert!(failed.is_empty(), "{} of {} checks failed: {failed:#?}", failed.len(), CHECKS.len());
}
