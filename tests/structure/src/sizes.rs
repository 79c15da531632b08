//! A file, and a function, that can be read in one go.

use crate::{Finding, Source, Tree};
use syn::visit::{self, Visit};

/// A file, or a function as `file::function`, that may be longer, and why.
#[derive(Clone, Copy, Debug)]
pub struct Exception {
    pub what: &'static str,
    pub why: &'static str,
}

/// One finding for each file and function that is too long, and for each exception that is not needed any more.
pub fn check(tree: &Tree, max_file: usize, max_function: usize, exceptions: &[Exception]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = Vec::new();
    let mut judge = |what: String, path: &str, line: usize, length: usize, max: usize| {
        if length <= max {
        } else if let Some(exception) = exceptions.iter().find(|exception| exception.what == what) {
            used.push(exception.what);
        } else {
            findings.push(Finding::new(path, line, format!("{what} has {length} lines; the most is {max}")));
        }
    };
    for source in &tree.sources {
        judge(source.path.clone(), &source.path, 1, source.text.lines().count(), max_file);
        for function in functions(source) {
            let what = format!("{}::{}", source.path, function.name);
            judge(what, &source.path, function.line, function.length, max_function);
        }
    }
    let unused = exceptions.iter().filter(|exception| !used.contains(&exception.what));
    findings
        .extend(unused.map(|exception| Finding::new(exception.what, 1, "an exception that is not needed")));
    findings
}

struct Function {
    name: String,
    line: usize,
    length: usize,
}

/// The functions of a file, from `fn` to the closing bracket; documentation and attributes do not count.
fn functions(source: &Source) -> Vec<Function> {
    let Ok(file) = syn::parse_file(&source.text) else { return Vec::new() };
    let mut reader = Reader(Vec::new());
    reader.visit_file(&file);
    reader.0
}

struct Reader(Vec<Function>);

impl Reader {
    fn note(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.fn_token.span.start().line;
        let end = block.brace_token.span.close().end().line;
        self.0.push(Function { name: signature.ident.to_string(), line, length: end - line + 1 });
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.note(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }
}
