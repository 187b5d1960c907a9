# Makes the certificates of the tests in the current directory, with OpenSSL: an independent hand.
#
#   ca                   the authority that the tests trust
#   intermediate         an authority under it
#   server, server-rsa   for localhost, *.spile.test and the loopback addresses, of the authority
#   chain                the same of the intermediate one, which follows in the file
#   expired, revoked     what the names say; crl.pem tells the second
#   client               for clients: CN, OU, DNS and URI to write rules about
#   other-ca, stranger   an authority nobody trusts, and a server of it
#   selfsigned           as `openssl req -x509` makes it: an authority that shows itself as a server
#
# NAME.pem is the certificate, NAME.key the key, NAME.both one after the other.
set -eu
umask 077

cat >config <<'END'
[ca]
default_ca = ours
[ours]
database = index
serial = serial
rand_serial = yes
new_certs_dir = issued
default_md = sha256
default_days = 3650
default_crl_days = 3650
policy = anything
unique_subject = no
crl_extensions = list
[list]
authorityKeyIdentifier = keyid
[anything]
organizationalUnitName = optional
commonName = optional
[req]
distinguished_name = empty
[empty]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, DNS:*.spile.test, IP:127.0.0.1, IP:::1
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:client.spile.test, URI:spiffe://spile.test/client
END
: >index
mkdir issued

key() { # NAME
    case $1 in
    *rsa*) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key" ;;
    *) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
    esac
}

own() { # NAME SUBJECT [OPTION...]: signed by itself
    name=$1 subject=$2
    shift 2
    key "$name"
    openssl req -x509 -config config -new -key "$name.key" -subj "$subject" -days 3650 -out "$name.pem" "$@"
}

issued() { # ISSUER NAME KIND SUBJECT [OPTION...]
    issuer=$1 name=$2 kind=$3 subject=$4
    shift 4
    key "$name"
    openssl req -new -config config -key "$name.key" -subj "$subject" -out request
    openssl ca -batch -notext -config config -in request -cert "$issuer.pem" -keyfile "$issuer.key" \
        -extensions "$kind" -out "$name.pem" "$@"
}

own ca '/CN=spile test CA' -extensions authority
own other-ca '/CN=another CA' -extensions authority
own selfsigned /CN=localhost -addext basicConstraints=critical,CA:TRUE -addext subjectAltName=DNS:localhost
issued ca intermediate authority '/CN=spile intermediate CA'
issued ca server server /CN=localhost
issued ca server-rsa server /CN=localhost
issued intermediate chain server /CN=localhost
issued ca expired server /CN=localhost -startdate 20200101000000Z -enddate 20200201000000Z
issued ca revoked server /CN=localhost
issued ca client client /OU=tests/CN=client
issued other-ca stranger server /CN=localhost

cat intermediate.pem >>chain.pem
openssl ca -config config -revoke revoked.pem -cert ca.pem -keyfile ca.key
openssl ca -config config -gencrl -cert ca.pem -keyfile ca.key -out crl.pem
for certificate in *.pem; do
    name=${certificate%.pem}
    [ ! -e "$name.key" ] || cat "$name.pem" "$name.key" >"$name.both"
done
