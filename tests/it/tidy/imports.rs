//! Imports between the files of one crate, and the circles that they form.
//!
//! A file imports another when its code names an item that the other defines: in a `use`, or by a path in the code
//! (`crate::…`, `super::…`, `self::…`, a child module, an imported name). A re-export is followed to the file that
//! defines the item, so a module that only hands names on is in no circle. Declaring a module is no import.
//!
//! It reads tokens, not types: a method called on a value of another file is not seen, nor is what a macro writes.

use std::collections::{BTreeMap, BTreeSet};

use super::rust_text::{Token, tokens, without_tests};

/// One file of a crate.
pub(super) struct File {
    /// Path below `src`, without `.rs`: `lib`, `batch`, `follow/file`.
    pub(super) stem: String,
    pub(super) text: String,
}

/// Files that import each other in a loop, with the imports among them.
#[derive(Debug)]
pub(super) struct Circle {
    pub(super) files: Vec<String>,
    /// `a -> b: names`, for each import inside the circle.
    pub(super) imports: Vec<String>,
}

/// Path of a module from the crate's root, which is the empty path.
type ModulePath = Vec<String>;

/// Depth of re-exports and aliases beyond which a name is given up: they point to each other.
const HOPS_MAX: usize = 16;

#[derive(Default)]
struct Module {
    stem: String,
    tokens: Vec<Token>,
    defines: BTreeSet<String>,
    /// What `use` declarations bring into the module: a name and the path that it stands for.
    uses: Vec<(String, Vec<String>)>,
    /// Names of `uses` that are re-exported.
    re_exports: BTreeSet<String>,
    /// Paths whose items are all brought in: `use path::*`.
    globs: Vec<Vec<String>>,
    /// Paths in the code outside of `use` declarations.
    paths: Vec<Vec<String>>,
}

/// Returns the circles of imports among `files`, which are all files of one crate but its tests.
pub(super) fn circles(files: Vec<File>) -> Vec<Circle> {
    let krate = Crate { modules: files.into_iter().map(Module::read).collect() };
    let imports = krate.imports();
    let mut circles = Vec::new();
    for members in loops(&imports) {
        let within = |(from, to): &&(ModulePath, ModulePath)| members.contains(from) && members.contains(to);
        let stem = |path: &ModulePath| krate.modules.get(path).map_or("", |module| module.stem.as_str());
        let lines = imports.iter().filter(|(edge, _)| within(edge)).map(|((from, to), names)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("{} -> {}: {}", stem(from), stem(to), names.join(", "))
        });
        circles.push(Circle {
            files: members.iter().map(|path| stem(path).to_owned()).collect(),
            imports: lines.collect(),
        });
    }
    circles
}

struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

/// Importing and imported module, with the names that are taken.
type Imports = BTreeMap<(ModulePath, ModulePath), BTreeSet<String>>;

impl Crate {
    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (from, module) in &self.modules {
            // A re-export that the module itself does not name hands the item on, and imports nothing.
            let named: BTreeSet<&str> = module.tokens.iter().filter_map(Token::name).collect();
            let is_used = |name: &str| named.contains(name) || !module.re_exports.contains(name);
            let used = module.uses.iter().filter(|(name, _)| is_used(name)).map(|(_, path)| path);
            let globs = module.globs.iter().map(|path| [path.as_slice(), &["*".to_owned()]].concat());
            for path in used.chain(&module.paths).cloned().chain(globs) {
                for (to, name) in self.definers(from, &path, 0) {
                    if to != *from {
                        imports.entry((from.clone(), to)).or_default().insert(name);
                    }
                }
            }
        }
        imports
    }

    /// The modules that define what `path` names in the module `from`: more than one where a module and an item share
    /// a name.
    fn definers(&self, from: &ModulePath, path: &[String], n_hops: usize) -> Vec<(ModulePath, String)> {
        if n_hops > HOPS_MAX {
            return Vec::new();
        }
        let Some((start, rest)) = self.start(from, path) else { return self.through_use(from, path, n_hops) };
        let mut at = start;
        for (idx, segment) in rest.iter().enumerate() {
            let mut child = at.clone();
            child.push(segment.clone());
            let is_last = idx + 1 == rest.len();
            if self.modules.contains_key(&child) && !is_last {
                at = child;
                continue;
            }
            let Some(module) = self.modules.get(&at) else { return Vec::new() };
            if module.defines.contains(segment) {
                return vec![(at, segment.clone())];
            }
            let remaining = &rest[idx..];
            let found = self.through_use(&at, remaining, n_hops);
            if !found.is_empty() || self.modules.contains_key(&child) {
                return found;
            }
            for glob in &module.globs {
                let path: Vec<String> = glob.iter().chain(remaining).cloned().collect();
                let found = self.definers(&at, &path, n_hops + 1);
                if found.iter().any(|(to, name)| self.modules[to].defines.contains(name)) {
                    return found;
                }
            }
            return vec![(at, segment.clone())];
        }
        Vec::new()
    }

    /// Resolves a path whose first segment a `use` of the module brought in.
    fn through_use(&self, from: &ModulePath, path: &[String], n_hops: usize) -> Vec<(ModulePath, String)> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let targets = self
            .modules
            .get(from)
            .into_iter()
            .flat_map(|module| &module.uses)
            .filter(|(name, target)| name == first && target != path);
        let resolved = targets.flat_map(|(_, target)| {
            let whole: Vec<String> = target.iter().chain(rest).cloned().collect();
            self.definers(from, &whole, n_hops + 1)
        });
        resolved.collect()
    }

    /// Where a path begins and what follows, if it begins with a module of this crate.
    fn start<'a>(&self, from: &ModulePath, path: &'a [String]) -> Option<(ModulePath, &'a [String])> {
        let (first, mut rest) = path.split_first()?;
        let mut start = match first.as_str() {
            "crate" => return Some((Vec::new(), rest)),
            "self" => from.clone(),
            "super" => parent(from),
            child => {
                let mut module = from.clone();
                module.push(child.to_owned());
                // A name that is both a child module and a function is the module only where more follows.
                return (self.modules.contains_key(&module) && !rest.is_empty()).then_some((module, rest));
            }
        };
        while let Some((_, below)) = rest.split_first().filter(|(segment, _)| *segment == "super") {
            start = parent(&start);
            rest = below;
        }
        Some((start, rest))
    }
}

/// Leaves out modules written inside the file: what they name is the file's own, or external.
fn without_inline_modules(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut depth = 0_usize;
    for token in tokens {
        let opens = token.is("{");
        let is_module =
            kept.len() > 1 && kept[kept.len() - 2].name() == Some("mod") && kept[kept.len() - 1].name().is_some();
        if depth > 0 || (opens && is_module) {
            depth = if opens { depth + 1 } else { depth - usize::from(token.is("}")) };
        } else {
            kept.push(token);
        }
    }
    kept
}

fn parent(module: &ModulePath) -> ModulePath {
    module[..module.len().saturating_sub(1)].to_vec()
}

impl Module {
    fn read(file: File) -> (ModulePath, Self) {
        let path = match file.stem.as_str() {
            "lib" | "main" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        let mut module = Self { stem: file.stem, ..Self::default() };
        let all = without_inline_modules(without_tests(tokens(&file.text)));
        let mut idx = 0;
        while idx < all.len() {
            match all[idx].name() {
                Some("use") => {
                    let n_before = module.uses.len();
                    let is_public = idx > 0 && (all[idx - 1].name() == Some("pub") || all[idx - 1].is(")"));
                    idx += 1 + module.read_use(&all[idx + 1..]);
                    let names = module.uses[n_before..].iter().map(|(name, _)| name.clone());
                    module.re_exports.extend(names.filter(|_| is_public));
                }
                Some("fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" | "macro_rules") => {
                    let name = all[idx + 1..].iter().take(3).find_map(Token::name);
                    module.defines.extend(name.map(str::to_owned));
                    module.tokens.push(all[idx].clone());
                    idx += 1;
                }
                _ => {
                    module.tokens.push(all[idx].clone());
                    idx += 1;
                }
            }
        }
        module.paths = paths(&module.tokens);
        (path, module)
    }

    /// Reads a `use` declaration from behind the keyword to its semicolon; returns its length.
    fn read_use(&mut self, tokens: &[Token]) -> usize {
        let end = tokens.iter().position(|token| token.is(";")).unwrap_or(tokens.len());
        self.read_use_tree(&tokens[..end], &[]);
        end + 1
    }

    fn read_use_tree(&mut self, tokens: &[Token], prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut idx = 0;
        while idx < tokens.len() {
            match &tokens[idx] {
                Token::Name(name) if name == "as" => {
                    let alias = tokens.get(idx + 1).and_then(Token::name).unwrap_or("_");
                    self.uses.push((alias.to_owned(), path));
                    return;
                }
                Token::Name(name) if name == "self" && !path.is_empty() => {}
                Token::Name(name) => path.push(name.clone()),
                token if token.is("*") => return self.globs.push(path),
                token if token.is("{") => {
                    let inner = &tokens[idx + 1..tokens.len().saturating_sub(1)];
                    for branch in branches(inner) {
                        self.read_use_tree(branch, &path);
                    }
                    return;
                }
                _ => {}
            }
            idx += 1;
        }
        if let Some(name) = path.last() {
            self.uses.push((name.clone(), path.clone()));
        }
    }
}

/// The comma-separated parts of the inside of braces.
fn branches(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0_usize;
    tokens
        .split(|token| {
            if token.is("{") {
                depth += 1;
            } else if token.is("}") {
                depth = depth.saturating_sub(1);
            }
            depth == 0 && token.is(",")
        })
        .filter(|branch| !branch.is_empty())
        .collect()
}

/// The paths of two or more segments in code.
fn paths(tokens: &[Token]) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut is_open = false;
    for token in tokens {
        match token {
            Token::Name(name) if is_open || path.is_empty() => {
                path.push(name.clone());
                is_open = false;
            }
            token if token.is("::") && !path.is_empty() => is_open = true,
            other => {
                if path.len() > 1 {
                    paths.push(std::mem::take(&mut path));
                }
                path.clear();
                is_open = false;
                path.extend(other.name().map(str::to_owned));
            }
        }
    }
    paths
}

/// The groups of modules that reach each other, each of two or more.
fn loops(imports: &Imports) -> Vec<BTreeSet<ModulePath>> {
    let mut targets: BTreeMap<&ModulePath, Vec<&ModulePath>> = BTreeMap::new();
    for (from, to) in imports.keys() {
        targets.entry(from).or_default().push(to);
    }
    let reached = |start: &ModulePath| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for &to in targets.get(at).into_iter().flatten() {
                if seen.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        seen
    };
    let reach: BTreeMap<&ModulePath, BTreeSet<ModulePath>> =
        targets.keys().map(|&from| (from, reached(from))).collect();
    let mut groups: BTreeSet<BTreeSet<ModulePath>> = BTreeSet::new();
    for (from, reaches) in &reach {
        let back = |to: &&ModulePath| reach.get(to).is_some_and(|reaches| reaches.contains(*from));
        let group: BTreeSet<ModulePath> = reaches.iter().filter(back).cloned().collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}
