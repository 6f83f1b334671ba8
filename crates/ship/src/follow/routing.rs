//! The input, group and container of a file, by its path.

use super::container::Container;
use super::options::FollowOptions;
use crate::checkpoint::CheckpointError;
use crate::discover;
use crate::discover::Root;
use std::path::{Path, PathBuf};
use types::{GroupName, group_name_of_file};

/// Returns all paths of all inputs.
pub(crate) fn roots_of(options: &FollowOptions) -> Result<Vec<Root>, CheckpointError> {
    let place = |path: &PathBuf| {
        discover::PathSpec::new(path).map_err(|error| CheckpointError::Io { path: path.clone(), error })
    };
    let mut roots = Vec::new();
    for (number, input) in options.inputs.iter().enumerate() {
        let excluded: Vec<discover::PathSpec> = input.excluded.iter().map(place).collect::<Result<_, _>>()?;
        for path in &input.paths {
            roots.push(Root { place: place(path)?, excluded: excluded.clone(), input: number, unpacks: input.unpacks });
        }
    }
    Ok(roots)
}

/// Returns the input of a file by its path; the first if none names it.
pub(crate) fn input_of(roots: &[Root], path: &Path) -> usize {
    roots.iter().find(|root| root.names(path)).map_or(0, |root| root.input)
}

/// Returns the group of a file: that of its input for all, that of its container, or one by its path.
pub(crate) fn group_of(options: &FollowOptions, input: usize, path: &str) -> GroupName {
    let group = options.inputs.get(input).and_then(|input| input.group.clone());
    let of_container = || container_at(options, input, path).map(|container| container.group);
    group.or_else(of_container).unwrap_or_else(|| group_name_of_file(path))
}

/// Returns the container that writes a file, where its input is of such, with what Kubernetes says of it.
pub(crate) fn container_of(options: &FollowOptions, input: usize, path: &str) -> Option<Container> {
    let mut container = container_at(options, input, path)?;
    if let Some(pods) = &options.pods {
        pods.add_to(&mut container.fields);
    }
    Some(container)
}

fn container_at(options: &FollowOptions, input: usize, path: &str) -> Option<Container> {
    options.inputs.get(input).filter(|input| input.is_of_containers)?;
    Container::of_path(Path::new(path))
}
