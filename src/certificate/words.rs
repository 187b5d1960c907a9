//! Object identifiers and their short names, and bytes as hexadecimal digits.

/// Bytes as lower-case hexadecimal digits without anything between them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

type Table = &'static [(&'static str, &'static str)];

fn look(table: Table, oid: &str) -> Option<&'static str> {
    table.iter().find(|(number, _)| *number == oid).map(|(_, name)| *name)
}

/// An attribute of a distinguished name, as OpenSSL abbreviates it.
pub fn attribute(oid: &str) -> Option<&'static str> {
    look(ATTRIBUTES, oid)
}

/// An algorithm of signatures.
pub fn signature(oid: &str) -> Option<&'static str> {
    look(SIGNATURES, oid)
}

/// An algorithm of keys other than RSA and elliptic curves.
pub fn key(oid: &str) -> Option<&'static str> {
    look(KEYS, oid)
}

/// A named curve.
pub fn curve(oid: &str) -> Option<&'static str> {
    look(CURVES, oid)
}

const ATTRIBUTES: Table = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

const SIGNATURES: Table = &[
    ("1.2.840.10045.4.1", "ecdsa-sha1"),
    ("1.2.840.10045.4.3.1", "ecdsa-sha224"),
    ("1.2.840.10045.4.3.2", "ecdsa-sha256"),
    ("1.2.840.10045.4.3.3", "ecdsa-sha384"),
    ("1.2.840.10045.4.3.4", "ecdsa-sha512"),
    ("1.2.840.113549.1.1.2", "rsa-md2"),
    ("1.2.840.113549.1.1.4", "rsa-md5"),
    ("1.2.840.113549.1.1.5", "rsa-sha1"),
    ("1.2.840.113549.1.1.10", "rsa-pss"),
    ("1.2.840.113549.1.1.11", "rsa-sha256"),
    ("1.2.840.113549.1.1.12", "rsa-sha384"),
    ("1.2.840.113549.1.1.13", "rsa-sha512"),
    ("1.2.840.113549.1.1.14", "rsa-sha224"),
    ("1.2.840.10040.4.3", "dsa-sha1"),
    ("2.16.840.1.101.3.4.3.2", "dsa-sha256"),
    ("1.3.101.112", "ed25519"),
    ("1.3.101.113", "ed448"),
    ("2.16.840.1.101.3.4.3.17", "ml-dsa-44"),
    ("2.16.840.1.101.3.4.3.18", "ml-dsa-65"),
    ("2.16.840.1.101.3.4.3.19", "ml-dsa-87"),
];

const KEYS: Table = &[
    ("1.2.840.10040.4.1", "dsa"),
    ("1.2.840.113549.1.1.10", "rsa-pss"),
    ("1.3.101.110", "x25519"),
    ("1.3.101.111", "x448"),
    ("1.3.101.112", "ed25519"),
    ("1.3.101.113", "ed448"),
    ("2.16.840.1.101.3.4.3.17", "ml-dsa-44"),
    ("2.16.840.1.101.3.4.3.18", "ml-dsa-65"),
    ("2.16.840.1.101.3.4.3.19", "ml-dsa-87"),
];

const CURVES: Table = &[
    ("1.2.840.10045.3.1.1", "ec-p192"),
    ("1.2.840.10045.3.1.7", "ec-p256"),
    ("1.3.132.0.10", "ec-secp256k1"),
    ("1.3.132.0.33", "ec-p224"),
    ("1.3.132.0.34", "ec-p384"),
    ("1.3.132.0.35", "ec-p521"),
];
