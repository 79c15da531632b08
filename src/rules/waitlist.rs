//! The order in which a line is served: first come, first served.

/// The answer to one entry of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The entry got what it waits for.
    Served,
    /// Not enough is free.
    Short,
    /// The entry could not be served however much were free: its holder is at the limit, or the resource is not
    /// open at that time.
    Barred,
}

/// What serves a line: it gives places to entries and keeps account of what it owes them.
pub trait WaitlistServer<T> {
    /// Why serving stops early.
    type Stop;

    /// Gives an entry what it waits for, or says why not.
    fn serve(&mut self, one: &T) -> Result<Answer, Self::Stop>;

    /// Keeps what an entry waits for from all later requests, as if the entry had it. Returns whether no entry
    /// behind it can be served then.
    fn owe(&mut self, one: &T) -> bool;
}

/// Serves a line from its head.
///
/// If an entry needs more than is free, the free places are owed to it, and the entries behind it do not get them,
/// unless the line lets them pass (`skip`). A barred entry keeps its place in the line and is owed nothing.
/// Returns whether anything may be left for requests from outside the line.
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
