//! What an authority is limited to: how many authorities may be below it, and which names it may sign for.

use x509_parser::extensions::{GeneralName, GeneralSubtree};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::facts::{address, name_text};
use super::words::hex;

/// The limits of an authority, one a line; empty where there are none, or it is no authority.
pub fn limits(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let mut lines = Vec::new();
    if let Ok(Some(basic)) = certificate.basic_constraints()
        && let Some(length) = basic.value.path_len_constraint
    {
        lines.push(format!("path length {length}"));
    }
    let Ok(Some(names)) = certificate.name_constraints() else { return lines };
    let list = |subtrees: &Option<Vec<GeneralSubtree<'_>>>, word: &str| -> Vec<String> {
        subtrees.iter().flatten().map(|subtree| format!("{word} {}", subtree_text(&subtree.base))).collect()
    };
    lines.extend(list(&names.value.permitted_subtrees, "only"));
    lines.extend(list(&names.value.excluded_subtrees, "never"));
    lines
}

/// Addresses have a mask here, and no name at all means every name.
fn subtree_text(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::IPAddress(bytes) => {
            let (base, mask) = bytes.split_at(bytes.len() / 2);
            let bits: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
            address(base)
                .map_or_else(|| format!("IP:#{}", hex(bytes)), |address| format!("IP:{address}/{bits}"))
        }
        GeneralName::DNSName("") => "DNS: of any kind".to_owned(),
        name => name_text(name),
    }
}
