//! Module.

/// A point.
#[derive(Debug)]
pub struct Point<T> {
    x: T,
}

impl<T> Display for Point<T> {
    /// Shows.
    fn fmt(&self) -> Result {
        x()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn works() {
        a();
    }
}
