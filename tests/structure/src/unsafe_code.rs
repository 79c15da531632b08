//! Unsafe code stands only in files or items that say so, and each piece says why it is sound.

use crate::{Finding, Source, Tree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One finding for each unsafe piece where unsafe code is not allowed, and for each without its argument.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.sources.iter().flat_map(check_file).collect()
}

fn check_file(source: &Source) -> Vec<Finding> {
    let Ok(file) = syn::parse_file(&source.text) else { return Vec::new() };
    let lines = source.text.lines().map(str::trim).collect();
    let is_allowed = file.attrs.iter().any(allows_unsafe);
    let mut reader =
        Reader { source, lines, allowed: is_allowed.into(), anchors: Vec::new(), findings: Vec::new() };
    reader.visit_file(&file);
    reader.findings
}

struct Reader<'s> {
    source: &'s Source,
    lines: Vec<&'s str>,
    /// How many of the file and the items around allow it.
    allowed: usize,
    /// Where the statement, arm, field or item begins that we are in: a comment above it counts.
    anchors: Vec<usize>,
    findings: Vec<Finding>,
}

impl Reader<'_> {
    fn find(&mut self, line: usize, message: &str) {
        self.findings.push(Finding::new(&self.source.path, line, message));
    }

    /// An unsafe piece that has to say why it is sound in a comment above it.
    fn explain(&mut self, line: usize, what: &str) {
        self.permit(line, what);
        let anchor = self.anchors.last().copied();
        if ![Some(line), anchor].into_iter().flatten().any(|line| self.is_explained(line)) {
            self.find(line, &format!("{what} without a SAFETY comment directly above"));
        }
    }

    fn permit(&mut self, line: usize, what: &str) {
        if self.allowed == 0 {
            self.find(line, &format!("{what} where unsafe code is not allowed: add #[allow(unsafe_code)]"));
        }
    }

    /// Whether the comment that ends just above a line, attributes passed over, has the word.
    fn is_explained(&self, line: usize) -> bool {
        let above = self.lines[..line.saturating_sub(1).min(self.lines.len())].iter().rev();
        above
            .take_while(|line| line.starts_with("//") || line.starts_with("#["))
            .any(|line| line.starts_with("//") && line.contains("SAFETY"))
    }

    fn within(&mut self, attributes: &[syn::Attribute], anchor: usize, visit: impl FnOnce(&mut Self)) {
        let allows = usize::from(attributes.iter().any(allows_unsafe));
        self.allowed += allows;
        self.anchors.push(anchor);
        visit(self);
        self.anchors.pop();
        self.allowed -= allows;
    }

    fn function(&mut self, signature: &syn::Signature, attributes: &[syn::Attribute]) {
        if let Some(word) = &signature.unsafety {
            let line = word.span.start().line;
            self.permit(line, "an unsafe fn");
            if !attributes.iter().any(is_safety_section)
                && !self.anchors.last().is_some_and(|line| self.is_explained(*line))
            {
                self.find(line, "an unsafe fn without a `# Safety` section in its documentation");
            }
        }
    }

    /// What a macro is given is no syntax yet: there the word itself is looked for.
    fn macro_words(&mut self, tokens: &proc_macro2::TokenStream) {
        for word in crate::tokens::words(tokens.clone()) {
            if let crate::tokens::Word::Name(name, line) = word
                && name == "unsafe"
            {
                self.explain(line, "unsafe code in a macro");
            }
        }
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let attributes = attributes_of(item);
        self.within(attributes, item.span().start().line, |reader| visit::visit_item(reader, item));
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.function(&item.sig, &item.attrs);
        visit::visit_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if let Some(word) = &item.unsafety {
            self.explain(word.span.start().line, "an unsafe impl");
        }
        for inner in &item.items {
            match inner {
                syn::ImplItem::Fn(method) => {
                    self.within(&method.attrs, method.span().start().line, |reader| {
                        // A trait's method has its section where the trait is declared.
                        if item.trait_.is_none() {
                            reader.function(&method.sig, &method.attrs);
                        } else if let Some(word) = &method.sig.unsafety {
                            reader.permit(word.span.start().line, "an unsafe fn");
                        }
                        reader.visit_block(&method.block);
                    });
                }
                other => self.visit_impl_item(other),
            }
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        self.within(&item.attrs, item.span().start().line, |reader| {
            reader.function(&item.sig, &item.attrs);
            visit::visit_trait_item_fn(reader, item);
        });
    }

    fn visit_item_foreign_mod(&mut self, item: &'a syn::ItemForeignMod) {
        if let Some(word) = &item.unsafety {
            self.explain(word.span.start().line, "an unsafe extern block");
        }
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_stmt(&mut self, statement: &'a syn::Stmt) {
        let attributes = match statement {
            syn::Stmt::Local(local) => local.attrs.as_slice(),
            _ => &[],
        };
        self.within(attributes, statement.span().start().line, |reader| visit::visit_stmt(reader, statement));
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        self.within(&arm.attrs, arm.span().start().line, |reader| visit::visit_arm(reader, arm));
    }

    fn visit_field_value(&mut self, field: &'a syn::FieldValue) {
        self.within(&field.attrs, field.span().start().line, |reader| {
            visit::visit_field_value(reader, field)
        });
    }

    fn visit_expr_unsafe(&mut self, block: &'a syn::ExprUnsafe) {
        self.explain(block.unsafe_token.span.start().line, "an unsafe block");
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_macro(&mut self, item: &'a syn::Macro) {
        self.macro_words(&item.tokens);
    }

    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::ForeignMod(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[allow(unsafe_code)]`, or `expect`, among other lints or alone.
fn allows_unsafe(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let is_permission = list.path.is_ident("allow") || list.path.is_ident("expect");
    is_permission && list.tokens.to_string().split(',').any(|lint| lint.trim() == "unsafe_code")
}

fn is_safety_section(attribute: &syn::Attribute) -> bool {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return false };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return false };
    pair.path.is_ident("doc") && text.value().trim().starts_with("# Safety")
}
