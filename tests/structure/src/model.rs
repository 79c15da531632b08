//! The modules of a crate, what each defines and names, and the file that a path leads to.

use crate::Source;
use crate::tokens;
use std::collections::{BTreeMap, HashMap, HashSet};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The path of a module from the root of the crate; the root's own is empty.
type ModulePath = Vec<String>;

/// The Rust files of a crate, read and understood.
pub struct Tree {
    pub sources: Vec<Source>,
    modules: HashMap<ModulePath, Module>,
    references: Vec<Reference>,
}

#[derive(Debug, Default)]
struct Module {
    /// Which file its text is in.
    file: usize,
    items: HashSet<String>,
    /// What it has imported, for itself or for others: the name here, and the path it stands for.
    imported: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// A path that stands somewhere in a file.
#[derive(Clone, Debug)]
pub struct Reference {
    pub file: usize,
    pub line: usize,
    pub path: Vec<String>,
    module: ModulePath,
    is_reexport: bool,
    is_glob: bool,
}

/// A file that names something of another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: usize,
    pub to: usize,
    /// Where in `from` it does so for the first time.
    pub line: usize,
}

impl Tree {
    /// Reads a crate whose root is `src/lib.rs`. Panics with the place if a file is not Rust.
    pub fn of(sources: Vec<Source>) -> Self {
        let sources: Vec<_> = sources.into_iter().filter(Source::is_rust).collect();
        let mut tree = Self { sources, modules: HashMap::new(), references: Vec::new() };
        for file in 0..tree.sources.len() {
            let Source { path, text } = &tree.sources[file];
            let parsed = match syn::parse_file(text) {
                Ok(parsed) => parsed,
                Err(error) => panic!("{path}:{}: {error}", error.span().start().line),
            };
            let module = module_path(path);
            let mut reader =
                Reader { file, module: module.clone(), modules: HashMap::new(), references: Vec::new() };
            reader.modules.insert(module, Module { file, ..Module::default() });
            reader.visit_file(&parsed);
            tree.modules.extend(reader.modules);
            tree.references.extend(reader.references);
        }
        tree
    }

    pub fn path(&self, file: usize) -> &str {
        &self.sources[file].path
    }

    /// Every path that stands in a file, re-exports included.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.references.iter()
    }

    /// The file that defines what a path leads to. `None` for another crate's, a local name, and a folder as
    /// such: what is used of a folder counts where it is used.
    pub fn file_of(&self, reference: &Reference) -> Option<usize> {
        let found = self.resolve(&reference.module, &reference.path, 0)?;
        match found {
            Found::Item(file) => Some(file),
            Found::Module(file) if reference.is_glob || !is_folder(self.path(file)) => Some(file),
            Found::Module(_) => None,
        }
    }

    /// Which file imports which. Declaring a module is not importing it, nor is a re-export by the head of a
    /// folder.
    pub fn imports(&self) -> Vec<Import> {
        let mut first = BTreeMap::new();
        for reference in &self.references {
            if reference.is_reexport && is_folder(self.path(reference.file)) {
                continue;
            }
            let Some(to) = self.file_of(reference) else { continue };
            if to != reference.file {
                let line = first.entry((reference.file, to)).or_insert(reference.line);
                *line = reference.line.min(*line);
            }
        }
        first.into_iter().map(|((from, to), line)| Import { from, to, line }).collect()
    }

    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Found> {
        // Two modules may import a name from each other; no honest chain is that long.
        if depth > 16 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, depth),
            "self" => self.descend(from.to_vec(), rest, depth),
            "super" => {
                let parent = from.split_last()?.1;
                match rest.first().map(String::as_str) {
                    Some("super") => self.resolve(parent, rest, depth),
                    _ => self.descend(parent.to_vec(), rest, depth),
                }
            }
            name => {
                let child = [from, std::slice::from_ref(first)].concat();
                let module = self.modules.get(from)?;
                if self.modules.contains_key(&child) {
                    self.descend(child, rest, depth)
                } else if module.items.contains(name) {
                    Some(Found::Item(module.file))
                } else {
                    let imported = module.imported.get(name).filter(|target| *target != path)?;
                    self.resolve(from, &[imported, rest].concat(), depth + 1)
                }
            }
        }
    }

    fn descend(&self, mut at: ModulePath, path: &[String], depth: usize) -> Option<Found> {
        for (n, name) in path.iter().enumerate() {
            let module = self.modules.get(&at)?;
            at.push(name.clone());
            if self.modules.contains_key(&at) {
                continue;
            }
            at.pop();
            if module.items.contains(name) {
                return Some(Found::Item(module.file));
            }
            if let Some(imported) = module.imported.get(name) {
                return self.resolve(&at, &[imported, &path[n + 1..]].concat(), depth + 1);
            }
            let by_glob = |glob: &Vec<String>| {
                let wanted = [glob, &path[n..]].concat();
                self.resolve(&at, &wanted, depth + 1)
            };
            // What a macro has defined cannot be seen, and is taken for the module's own.
            return module.globs.iter().find_map(by_glob).or(Some(Found::Item(module.file)));
        }
        self.modules.get(&at).map(|module| Found::Module(module.file))
    }
}

enum Found {
    Item(usize),
    Module(usize),
}

/// Whether a file is the head of a folder, or of the crate.
pub fn is_folder(path: &str) -> bool {
    path.ends_with("/mod.rs") || path == "src/lib.rs"
}

/// `src/verbs/hold.rs` is `verbs::hold`.
fn module_path(path: &str) -> ModulePath {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<_> = inner.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

struct Reader {
    file: usize,
    module: ModulePath,
    modules: HashMap<ModulePath, Module>,
    references: Vec<Reference>,
}

impl Reader {
    fn define(&mut self, name: &syn::Ident) {
        self.here().items.insert(name.to_string());
    }

    fn here(&mut self) -> &mut Module {
        let file = self.file;
        self.modules.entry(self.module.clone()).or_insert_with(|| Module { file, ..Module::default() })
    }

    fn refer(&mut self, path: Vec<String>, line: usize) {
        let (file, module) = (self.file, self.module.clone());
        self.references.push(Reference { file, line, path, module, is_reexport: false, is_glob: false });
    }

    fn import(&mut self, tree: &syn::UseTree, prefix: &[String], is_reexport: bool) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        let (path, name, line) = match tree {
            syn::UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), is_reexport),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, prefix, is_reexport));
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                (prefix.to_vec(), prefix.last().cloned(), name.span().start().line)
            }
            syn::UseTree::Name(name) => {
                (with(&name.ident), Some(name.ident.to_string()), name.span().start().line)
            }
            syn::UseTree::Rename(rename) => {
                let path = if rename.ident == "self" { prefix.to_vec() } else { with(&rename.ident) };
                (path, Some(rename.rename.to_string()), rename.span().start().line)
            }
            syn::UseTree::Glob(glob) => (prefix.to_vec(), None, glob.span().start().line),
        };
        match &name {
            Some(name) => drop(self.here().imported.insert(name.clone(), path.clone())),
            None => self.here().globs.push(path.clone()),
        }
        let (file, module) = (self.file, self.module.clone());
        self.references.push(Reference { file, line, path, module, is_reexport, is_glob: name.is_none() });
    }
}

impl<'a> Visit<'a> for Reader {
    fn visit_item(&mut self, item: &'a syn::Item) {
        match item {
            syn::Item::Const(item) => self.define(&item.ident),
            syn::Item::Enum(item) => self.define(&item.ident),
            syn::Item::Fn(item) => self.define(&item.sig.ident),
            syn::Item::Static(item) => self.define(&item.ident),
            syn::Item::Struct(item) => self.define(&item.ident),
            syn::Item::Trait(item) => self.define(&item.ident),
            syn::Item::Type(item) => self.define(&item.ident),
            syn::Item::Union(item) => self.define(&item.ident),
            syn::Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    self.define(name);
                }
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if let Some((_, items)) = &item.content {
            self.module.push(item.ident.to_string());
            self.here();
            items.iter().for_each(|item| self.visit_item(item));
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if item.leading_colon.is_none() {
            let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
            self.import(&item.tree, &[], is_reexport);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        // A single name is a local one, or was imported, and counts where it was.
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.refer(names, path.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'a syn::Macro) {
        for (path, line) in tokens::paths(&tokens::words(item.tokens.clone())) {
            if path.len() > 1 {
                self.refer(path, line);
            }
        }
        visit::visit_macro(self, item);
    }

    // `pub(in crate::verbs)` says who may see it, and uses nothing.
    fn visit_visibility(&mut self, _: &'a syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}
}
