//! Users and groups by name or number.

use std::ffi::CString;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use crate::error::{Exit, Failure};
use crate::process::Identity;

/// Who the program runs as. A user brings its own group and its supplementary groups, unless others are named.
pub fn identity(
    user: Option<&str>,
    group: Option<&str>,
    groups: Option<&[String]>,
) -> Result<Identity, Failure> {
    let mut identity = Identity::default();
    if let Some(word) = user {
        match find_user(word)? {
            Some(user) => {
                identity.user = Some(user.uid.as_raw());
                identity.group = Some(user.gid.as_raw());
                identity.groups = Some(groups_of(&user)?);
            }
            // A number need not be in the database; but nobody must keep our own group, root's perhaps, by oversight.
            None if number(word).is_some() && group.is_none() => {
                return Err(Failure::new(
                    Exit(125),
                    format!("cannot run as user {word}"),
                    "it has no entry that names its group",
                )
                .hint("name the group, too: --group GID"));
            }
            None => {
                identity.user = Some(number(word).ok_or_else(|| unknown("user", word))?);
                identity.groups = Some(Vec::new());
            }
        }
    }
    if let Some(word) = group {
        identity.group = Some(find_group(word)?);
    }
    if let Some(words) = groups {
        let words = words.iter().filter(|word| !word.is_empty());
        identity.groups = Some(words.map(|word| find_group(word)).collect::<Result<_, _>>()?);
    }
    Ok(identity)
}

fn number(word: &str) -> Option<u32> {
    word.parse().ok()
}

fn find_user(word: &str) -> Result<Option<User>, Failure> {
    let found = match number(word) {
        Some(id) => User::from_uid(Uid::from_raw(id)),
        None => User::from_name(word),
    };
    found.map_err(|why| cannot_look_up("user", word, why))
}

fn find_group(word: &str) -> Result<u32, Failure> {
    if let Some(id) = number(word) {
        return Ok(id);
    }
    let found = Group::from_name(word).map_err(|why| cannot_look_up("group", word, why))?;
    found.map(|group| group.gid.as_raw()).ok_or_else(|| unknown("group", word))
}

fn groups_of(user: &User) -> Result<Vec<u32>, Failure> {
    let name = CString::new(user.name.as_str()).map_err(|_| unknown("user", &user.name))?;
    let groups = getgrouplist(&name, user.gid).map_err(|why| cannot_look_up("user", &user.name, why))?;
    Ok(groups.into_iter().map(Gid::as_raw).collect())
}

fn unknown(kind: &str, word: &str) -> Failure {
    Failure::new(Exit(125), format!("cannot run as {kind} {word}"), format!("there is no such {kind}"))
}

fn cannot_look_up(kind: &str, word: &str, why: Errno) -> Failure {
    Failure::new(Exit(125), format!("cannot look up {kind} {word}"), why.desc())
}
