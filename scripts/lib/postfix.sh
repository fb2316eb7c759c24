# A real Postfix for the mail tests, in a directory of its own. To be sourced by bash; it defines
#   postfix_install          installs the packages when they are missing
#   postfix_start DIR PORT   starts an instance on 127.0.0.1:PORT and writes DIR/smtp.env
#   postfix_stop DIR         stops it again
# The configuration, queue, certificates, passwords and mailbox all live below DIR; the system's own
# Postfix (/etc/postfix, /var/spool/postfix, port 25) is neither read nor changed.
#
# The instance behaves like an association's submission server: STARTTLS with a certificate for
# "localhost" from a CA made on the spot, no AUTH before TLS, no mail before AUTH. It takes mail for
# example.jp and docomo.ne.jp into one Maildir, refuses gone@example.jp as unknown and sends nothing out.

_postfix_say() { printf 'postfix: %s\n' "$*" >&2; }

# Postfix starts as root and drops its rights itself, so a plain user needs sudo.
_postfix_as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

_postfix_tool() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" 2>/dev/null
}

postfix_install() {
  if [ -n "$(_postfix_tool postfix)" ] && [ -n "$(_postfix_tool saslpasswd2)" ] \
    && [ -n "$(_postfix_tool openssl)" ] && _postfix_has_plain_auth; then
    return 0
  fi
  if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    _postfix_say "the packages postfix, sasl2-bin, libsasl2-modules and openssl are needed; install them or run as root"
    return 1
  fi
  # Only an answer for a package that is not there yet; an existing choice is left alone.
  if [ -z "$(_postfix_tool postfix)" ]; then
    printf 'postfix postfix/main_mailer_type select No configuration\n' | _postfix_as_root debconf-set-selections
  fi
  local packages=(postfix sasl2-bin libsasl2-modules libsasl2-modules-db openssl)
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -q -y)
  _postfix_as_root "${apt[@]}" install --no-install-recommends "${packages[@]}" >&2 || {
    _postfix_as_root "${apt[@]}" update >&2
    _postfix_as_root "${apt[@]}" install --no-install-recommends "${packages[@]}" >&2
  }
}

_postfix_has_plain_auth() {
  compgen -G '/usr/lib/*/sasl2/libplain.so*' >/dev/null && compgen -G '/usr/lib/*/sasl2/libsasldb.so*' >/dev/null
}

# Whether the instance below DIR is running.
_postfix_runs() {
  [ -f "$1/etc/main.cf" ] && _postfix_as_root "$(_postfix_tool postfix)" -c "$1/etc" status >/dev/null 2>&1
}

# A CA and a certificate for "localhost" only (not for 127.0.0.1: a test needs a name that does not fit),
# and a second, unrelated CA.
_postfix_certificates() {
  local tls=$1 name
  mkdir -p "$tls"
  for name in ca other-ca; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=touban test $name" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
      -keyout "$tls/$name.key" -out "$tls/$name.pem" 2>/dev/null
  done
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' \
    -keyout "$tls/server.key" -out "$tls/server.csr" 2>/dev/null
  printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' \
    'extendedKeyUsage=serverAuth' 'subjectAltName=DNS:localhost' >"$tls/server.ext"
  openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -set_serial "$(date +%s)" \
    -days 30 -extfile "$tls/server.ext" -out "$tls/server.pem" 2>/dev/null
}

postfix_start() {
  local dir=$1 port=$2 postfix saslpasswd uid gid password
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd -P)
  if _postfix_runs "$dir" && [ -f "$dir/smtp.env" ]; then
    _postfix_export "$dir"
    return 0
  fi
  # Running without its env file: an earlier run was cut short.
  postfix_stop "$dir"
  postfix=$(_postfix_tool postfix) || { _postfix_say 'not installed'; return 1; }
  saslpasswd=$(_postfix_tool saslpasswd2) || { _postfix_say 'saslpasswd2 is not installed'; return 1; }

  # The mailbox belongs to whoever runs the tests, so that they can read it; never to root.
  uid=$(id -u) gid=$(id -g)
  if [ "$uid" -eq 0 ]; then uid=65534 gid=65534; fi

  # What an earlier run left behind (its files belong to several users).
  _postfix_as_root rm -rf "$dir/etc" "$dir/queue" "$dir/data" "$dir/mail" "$dir/sasl" "$dir/tls" "$dir/log" "$dir/smtp.env"
  mkdir -p "$dir/etc/sasl" "$dir/queue" "$dir/data" "$dir/mail" "$dir/sasl" "$dir/log"
  chmod 755 "$dir" "$dir/etc" "$dir/etc/sasl" "$dir/mail" "$dir/sasl" "$dir/log"
  _postfix_certificates "$dir/tls"

  password=$(openssl rand -hex 16)
  printf '%s' "$password" | "$saslpasswd" -p -c -f "$dir/sasl/sasldb2" -u localhost touban
  # Debian's Postfix looks for this file beside its main.cf, whatever cyrus_sasl_config_path says.
  printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' 'mech_list: PLAIN LOGIN' \
    "sasldb_path: $dir/sasl/sasldb2" >"$dir/etc/sasl/smtpd.conf"

  cat >"$dir/etc/main.cf" <<MAIN
compatibility_level = 3.6
queue_directory = $dir/queue
data_directory = $dir/data
maillog_file = $dir/log/maillog
maillog_file_prefixes = $dir/log
syslog_name = touban-test
myhostname = localhost
mydomain = localdomain
mynetworks = 127.0.0.1/32
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
biff = no
append_dot_mydomain = no
default_transport = error:5.1.2 this instance sends nothing out
relay_domains =
virtual_mailbox_domains = example.jp docomo.ne.jp
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:$uid
virtual_gid_maps = static:$gid
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_chain_files = $dir/tls/server.key, $dir/tls/server.pem
smtpd_tls_session_cache_database =
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = $dir/etc/sasl
smtpd_sasl_local_domain = localhost
smtpd_sasl_security_options = noanonymous
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{ {gone@example.jp = 550 5.1.1 no such mailbox} }, permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_delay_reject = yes
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_client_connection_rate_limit = 0
MAIN

  # One listener, nothing chrooted, only the services that delivery into a Maildir needs.
  cat >"$dir/etc/master.cf" <<MASTER
127.0.0.1:$port inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
MASTER

  chmod 644 "$dir/etc/sasl/smtpd.conf" "$dir/etc/main.cf" "$dir/etc/master.cf"
  _postfix_as_root chown -R root:root "$dir/etc"
  _postfix_as_root chown root "$dir/queue"
  _postfix_as_root chown postfix "$dir/data" "$dir/sasl/sasldb2"
  _postfix_as_root chown "$uid:$gid" "$dir/mail"
  if ! _postfix_as_root env "PATH=$PATH:/usr/sbin:/sbin" setpriv --reuid=postfix --clear-groups test -r "$dir/sasl/sasldb2"; then
    _postfix_say "the user postfix cannot reach $dir; choose a directory whose parents are open to others, below /tmp for instance"
    return 1
  fi

  if ! _postfix_as_root "$postfix" -c "$dir/etc" start >"$dir/log/start" 2>&1; then
    _postfix_say "did not start:"
    cat "$dir/log/start" >&2
    _postfix_as_root cat "$dir/log/maillog" >&2 2>/dev/null || true
    return 1
  fi
  local tries
  for tries in $(seq 1 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    if [ "$tries" -eq 100 ]; then
      _postfix_say "nothing answers on port $port"
      _postfix_as_root cat "$dir/log/maillog" >&2 || true
      _postfix_as_root "$postfix" -c "$dir/etc" stop >/dev/null 2>&1 || true
      return 1
    fi
    sleep 0.1
  done

  (
    umask 077
    {
      printf 'TOUBAN_TEST_SMTP_HOST=%q\n' localhost
      printf 'TOUBAN_TEST_SMTP_PORT=%q\n' "$port"
      printf 'TOUBAN_TEST_SMTP_USER=%q\n' touban
      printf 'TOUBAN_TEST_SMTP_PASSWORD=%q\n' "$password"
      printf 'TOUBAN_TEST_SMTP_CA=%q\n' "$dir/tls/ca.pem"
      printf 'TOUBAN_TEST_SMTP_OTHER_CA=%q\n' "$dir/tls/other-ca.pem"
      printf 'TOUBAN_TEST_SMTP_MAILDIR=%q\n' "$dir/mail/all"
    } >"$dir/smtp.env"
  )
  _postfix_export "$dir"
}

# Reads DIR/smtp.env into the environment of the calling shell.
_postfix_export() {
  set -a
  # shellcheck source=/dev/null
  . "$1/smtp.env"
  set +a
}

postfix_stop() {
  local dir=$1 tries pid
  [ -f "$dir/etc/main.cf" ] || return 0
  dir=$(cd "$dir" && pwd -P)
  pid=$(_postfix_as_root cat "$dir/queue/pid/master.pid" 2>/dev/null | tr -dc '0-9' || true)
  if _postfix_runs "$dir"; then
    _postfix_as_root "$(_postfix_tool postfix)" -c "$dir/etc" stop >/dev/null 2>&1 || true
  fi
  # "stop" returns before the last service has gone.
  for tries in $(seq 1 100); do
    if ! _postfix_runs "$dir"; then
      rm -f "$dir/smtp.env"
      return 0
    fi
    sleep 0.1
  done
  _postfix_say "does not stop; ending process $pid"
  [ -z "$pid" ] || _postfix_as_root kill -KILL -- "$pid" 2>/dev/null || true
  rm -f "$dir/smtp.env"
}
