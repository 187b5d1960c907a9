# Programs to talk to on a terminal. What they are told they write to the file $DIARY.
# Usage: talkers.sh NAME [HOW]. With $FAULT each ends with status 9 where its last words should come.
answer=

note() { printf '%s\n' "$1" >>"$DIARY"; }
read_answer() { IFS= read -r answer && note "$answer"; }
ask() { printf '%s' "$1" && read_answer; }
ask_secretly() {
    stty -echo
    ask "$1"
    stty echo
    echo
}
last_words() {
    [ -z "$FAULT" ] || exit 9
    echo "$1"
}

login() {
    ask 'login: '
    user=$answer
    ask_secretly 'Password: '
    [ "$answer" = hunter2 ] || exit 1
    last_words "Welcome, $user"
}

menu() {
    until [ "$answer" = q ]; do
        printf '1) show\n2) add\nq) quit\n'
        ask 'Choice: '
        case $answer in
        1) echo "In it:$items" ;;
        2) ask 'What? ' && items="$items $answer" ;;
        esac
    done
    last_words 'Good bye'
}

interpreter() {
    [ -z "$FAULT" ] || {
        ask '>>> '
        exit 9
    }
    exec python3 -iq
}

passphrase() {
    ask_secretly 'Passphrase: '
    first=$answer
    ask_secretly 'Again: '
    [ "$answer" = "$first" ] || exit 1
    last_words 'Key written'
}

# A line editor puts the terminal into a mode of its own and draws what is typed.
editor() {
    answer=$(bash --norc --noprofile -c 'read -r -e -p "edit> " line; printf %s "$line" >&3' 3>&1 >/dev/tty)
    note "$answer"
    last_words "Saved $answer"
}

slowly() {
    for piece in Con nec 'ted.
' rea 'dy' '> '; do
        printf '%s' "$piece"
        sleep 0.05
    done
    read_answer
    last_words 'At last'
}

# As many lines as nobody knows, then a prompt.
listing() {
    seq 1 $((20 + $$ % 100))
    ask 'shell$ '
    last_words 'Done'
}

question() {
    case $1 in
    old) ask 'It is there. Overwrite? (y/n) ' ;;
    new) ask 'A name for it: ' ;;
    esac
    last_words 'Stored'
}

ticket() {
    number=$$
    echo "Your ticket is K-$number, keep it."
    ask 'Ticket: '
    [ "$answer" = "K-$number" ] || exit 1
    echo 'the right one' >"$DIARY"
    last_words 'Accepted'
}

ending() {
    ask 'Status? '
    [ -z "$FAULT" ] || exit 9
    exit "$answer"
}

"$@"
