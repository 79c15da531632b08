//! The words of a file as Rust sees them: without comments, and with what stands inside macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A word, or a piece of text between quotation marks, and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    Name(String, usize),
    /// As it is written, quotation marks included.
    Literal(String, usize),
    /// Any other sign; `::` is two of them.
    Sign(char, usize),
}

/// Every word of a stream, in order. What documentation says is left out.
pub fn words(stream: TokenStream) -> Vec<Word> {
    let mut words = Vec::new();
    collect(stream, &mut words);
    words
}

fn collect(stream: TokenStream, words: &mut Vec<Word>) {
    let mut after_hash = false;
    for tree in stream {
        let line = tree.span().start().line;
        let is_hash = matches!(&tree, TokenTree::Punct(sign) if sign.as_char() == '#')
            // `#![…]`
            || (after_hash && matches!(&tree, TokenTree::Punct(sign) if sign.as_char() == '!'));
        match tree {
            TokenTree::Ident(name) => words.push(Word::Name(name.to_string(), line)),
            TokenTree::Literal(literal) => words.push(Word::Literal(literal.to_string(), line)),
            TokenTree::Punct(sign) => words.push(Word::Sign(sign.as_char(), line)),
            TokenTree::Group(group) => {
                let is_attribute = after_hash && group.delimiter() == Delimiter::Bracket;
                if !(is_attribute && is_documentation(&group.stream())) {
                    // Keeps paths on both sides of a bracket apart.
                    words.push(Word::Sign('(', line));
                    collect(group.stream(), words);
                    words.push(Word::Sign(')', line));
                }
            }
        }
        after_hash = is_hash;
    }
}

fn is_documentation(attribute: &TokenStream) -> bool {
    matches!(attribute.clone().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
}

/// Every path among words, `a::b::c`, with the line it begins on. A single name is a path of one.
pub fn paths(words: &[Word]) -> Vec<(Vec<String>, usize)> {
    let mut paths = Vec::new();
    let mut n = 0;
    while n < words.len() {
        let Word::Name(name, line) = &words[n] else {
            n += 1;
            continue;
        };
        let mut path = vec![name.clone()];
        n += 1;
        while let [Word::Sign(':', _), Word::Sign(':', _), Word::Name(next, _), ..] = &words[n..] {
            path.push(next.clone());
            n += 3;
        }
        paths.push((path, *line));
    }
    paths
}
