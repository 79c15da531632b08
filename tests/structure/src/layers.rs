//! Imports go downward: a file may use its own layer and those below it.

use crate::{Finding, Tree};

/// A row of the table of layers. A file belongs to the row whose longest place it begins with.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    pub places: &'static [&'static str],
    /// What belongs there.
    pub what: &'static str,
}

/// One finding for each import of a higher layer, and for each file that no layer claims.
pub fn check(tree: &Tree, layers: &[Layer]) -> Vec<Finding> {
    let mut findings: Vec<_> = tree
        .sources
        .iter()
        .filter(|source| layer_of(layers, &source.path).is_none())
        .map(|source| Finding::new(&source.path, 1, "belongs to no layer: add it to LAYERS, with a sentence"))
        .collect();
    for import in tree.imports() {
        let (from, to) = (tree.path(import.from), tree.path(import.to));
        let (Some(own), Some(other)) = (layer_of(layers, from), layer_of(layers, to)) else { continue };
        if other < own {
            let what = layers[other].what;
            findings.push(Finding::new(
                from,
                import.line,
                format!("imports {to}, which is above it ({what})"),
            ));
        }
    }
    findings
}

/// The row of a file, counted from the top.
fn layer_of(layers: &[Layer], path: &str) -> Option<usize> {
    let length = |layer: &Layer| {
        let fitting = layer.places.iter().filter(|place| path.starts_with(**place));
        fitting.map(|place| place.len()).max()
    };
    let fitting = layers.iter().enumerate().filter_map(|(n, layer)| Some((length(layer)?, n)));
    fitting.max().map(|(_, n)| n)
}
