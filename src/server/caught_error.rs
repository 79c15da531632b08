//! What an error says that PostgreSQL raised and somebody caught. Errors of the extension's own are in
//! `crate::error`.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::{CaughtError, ErrorReportWithLevel};

fn report_of(error: &CaughtError) -> &ErrorReportWithLevel {
    let (CaughtError::PostgresError(report)
    | CaughtError::ErrorReport(report)
    | CaughtError::RustPanic { ereport: report, .. }) = error;
    report
}

/// Returns the message, for a caller that shows the error instead of raising it.
pub fn message_of(error: &CaughtError) -> String {
    report_of(error).message().to_owned()
}

pub fn code_of(error: &CaughtError) -> PgSqlErrorCode {
    report_of(error).sql_error_code()
}
