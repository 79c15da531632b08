//! The order in which those are served who wait: first come, first served.

/// What becomes of one who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Served,
    /// Not enough is free.
    Short,
    /// He could not have it however much were free: he has too much else, or it is not open then.
    Barred,
}

/// Who serves, and remembers what is owed.
pub trait WaitlistServer<T> {
    type Stop;

    fn serve(&mut self, one: &T) -> Result<Answer, Self::Stop>;

    /// Keeps what one is short of from all who come later: what he asked for counts as if he had it. Whether
    /// nobody behind him can be served then.
    fn owe(&mut self, one: &T) -> bool;
}

/// Serves a line from its head.
///
/// What is free for one who needs more than that is owed to him, and those behind do not get it, unless they
/// may pass him by (`skip`). Who is barred stays where he is and keeps nobody from anything. Returns whether
/// there may be anything left for who is not in the line.
pub fn serve<'a, T: 'a, C: WaitlistServer<T>>(
    line: impl IntoIterator<Item = &'a T>,
    skip: bool,
    counter: &mut C,
) -> Result<bool, C::Stop> {
    for one in line {
        if counter.serve(one)? == Answer::Short && !skip && counter.owe(one) {
            return Ok(false);
        }
    }
    Ok(true)
}
