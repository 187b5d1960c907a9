# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_spile_global_optspecs
    string join \n h/help V/version
end

function __fish_spile_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_spile_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_spile_using_subcommand
    set -l cmd (__fish_spile_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c spile -n "__fish_spile_needs_command" -s h -l help -d 'Print help'
complete -c spile -n "__fish_spile_needs_command" -s V -l version -d 'Print version'
complete -c spile -n "__fish_spile_needs_command" -f -a "run" -d 'Run one program: limits, the whole tree\'s end, signals, surroundings, a report'
complete -c spile -n "__fish_spile_needs_command" -f -a "pipe" -d 'Run a pipeline without a shell, and mind the status of every stage'
complete -c spile -n "__fish_spile_needs_command" -f -a "connect" -d 'Connect stdin and stdout, or a command, to an address'
complete -c spile -n "__fish_spile_needs_command" -f -a "listen" -d 'Serve stdin and stdout, or a command per connection, on an address'
complete -c spile -n "__fish_spile_needs_command" -f -a "relay" -d 'Move bytes between any two addresses; a listening left side serves for ever'
complete -c spile -n "__fish_spile_needs_command" -f -a "cert" -d 'Make, show, check and convert certificates'
complete -c spile -n "__fish_spile_needs_command" -f -a "chat" -d 'Hold a scripted conversation with an address or a program, or be the server of one'
complete -c spile -n "__fish_spile_needs_command" -f -a "tls-connect" -d 'Connect stdin and stdout, or a command, to an address by TLS; the peer is verified'
complete -c spile -n "__fish_spile_needs_command" -f -a "tls-serve" -d 'Serve stdin and stdout, a command, a plain server or a file on an address by TLS'
complete -c spile -n "__fish_spile_needs_command" -f -a "trap" -d 'Handle, forward, rewrite, wait for, send and explain signals'
complete -c spile -n "__fish_spile_needs_command" -f -a "echo-server" -d 'Serve echo, discard, chargen, daytime, time, whoami, a file or HTTP for tests'
complete -c spile -n "__fish_spile_needs_command" -f -a "wait" -d 'Wait until addresses answer, all within one deadline'
complete -c spile -n "__fish_spile_needs_command" -f -a "resolve" -d 'Look up names, services, protocols and interfaces'
complete -c spile -n "__fish_spile_using_subcommand run" -s t -l timeout -d 'End everything after this long, with status 124 (0: never)' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l timeout-clock -d 'What the time limit counts: not the time in which spile itself was stopped (^Z), or all of it' -r -f -a "running\t''
wall\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l idle-timeout -d 'End everything when nothing has been written for this long; what `run` starts then writes through spile' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l cpu-timeout -d 'End everything after this much CPU time, all processes together' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l signal -d 'The signal that asks to end' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l grace -d 'Who has not ended after this long is killed; the last process counts, not the first' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l scope -d 'Whom ending reaches: the child, its process group, or the whole tree, whatever its sessions; what a daemon starts for it (systemd-run, docker, at) is nobody\'s descendant, and out of reach' -r -f -a "child\t''
group\t''
tree\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l orphans -d 'What happens to processes that outlive the program: leave, wait, term or kill; usually they are left, but when TERM, INT, HUP or QUIT was sent to spile, they end as well: TERM, and KILL after the grace' -r -f -a "leave\t''
wait\t''
term\t''
kill\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l stdin -d 'Where stdin comes from: a file (- is ours), null, text:TEXT, fd:N, or an address (tcp:HOST:PORT…)' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l stdout -d 'Where stdout goes: a file (- is ours), append:FILE, null, capture (into the report), fd:N, or an address' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l stderr -d 'The same for stderr' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l tee -d 'Copy both to a file or an address, too' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l prefix -d 'Put this before each line; {name}, {stream} and {time} are filled in' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l linger -d 'How long output that passes through spile may stay open after the program\'s end [default: 1s]' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l max-capture -d 'Most bytes of each stream that capture keeps, and which: the first, the last or both [default: 1M:both]' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l spill -d 'Write all of what is captured to this file; stderr of its own goes to FILE.stderr' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -l order -d 'Keep the order between stdout and stderr: exact (through datagrams: at most 200 KiB a write, no /dev/stderr)' -r -f -a "exact\t''
approx\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l pty -d 'Run the program on a terminal of its own, for colours, prompts and line buffering. Your keys go to it if stdin is a terminal; any other stdin is data: no byte of it is a key (^C, ^D...) unless the program makes it one (stty sane)' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l newlines -d 'Change CR LF in output to LF' -r -f -a "lf\t''
as-written\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l retries -d 'Run it again up to this many times while it fails; -t is for each attempt, and what an attempt has left running is ended before the next' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l backoff -d 'The pause before the next attempt; from the first it doubles up to the second' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l retry-on -d 'Which failures to try again: 1,75,timeout,signal,spawn,match:REGEX (the output; it ends a list) [default: all but spawn]' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l retry-clean -d 'Run this before each new attempt; it is split into words' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l with -d 'Start this first and end it afterwards; it is split into words, its stdin is empty' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l ready -d 'When the service before it is ready: an address that answers, http://HOST:PORT/PATH, unix+http:SOCKET:/PATH, line:REGEX of its output, or cmd:\'CMD\' that succeeds' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l ready-timeout -d 'How long each service may take to get ready' -r
complete -c spile -n "__fish_spile_using_subcommand run" -s C -l dir -d 'Start in this directory; a relative path of the program is still meant from here' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -s e -l env -d 'Set a variable; NAME alone keeps ours in spite of -i' -r
complete -c spile -n "__fish_spile_using_subcommand run" -s u -l unset -d 'Remove a variable' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l env-file -d 'Set the variables of this file: NAME=VALUE lines, one pair of quotes around a value is taken off' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -l argv0 -d 'What the program sees as its own name' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l user -d 'Run as this user, with its groups' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l group -d 'Run as this group' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l groups -d 'Supplementary groups' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l umask -d 'File mode creation mask, octal' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l nice -d 'Add to the nice value' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l rlimit -d 'Resource limit, as ulimit and prlimit name them: nofile=4096, as=1G, core=0, cpu=10:20 (soft:hard)' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l pass-fd -d 'Inherit these alone' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l pgroup -d 'The process group: a new one or ours; usually a new one, but ours in a terminal\'s foreground. In ours, what the terminal sends reaches the program whatever spile makes of it' -r -f -a "new\t''
same\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l pdeath -d 'Sent to the program when spile itself is killed' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l signals -d 'What a program begins with: exactly what spile was started with (inherit), or everything at its default; usually PIPE is at its default and what was ignored stays so' -r -f -a "inherit\t''
default\t''"
complete -c spile -n "__fish_spile_using_subcommand run" -l ignore -d 'Ignored by the program, as nohup does with HUP' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l block -d 'Blocked in the program' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l default -d 'At their defaults and not blocked' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l rewrite -d 'Pass one signal on as another, or not at all: TERM:QUIT,HUP:none; keys as well: ^C is INT, ^\\ QUIT, ^Z TSTP. They come to spile alone then, until the program reads the terminal (that is said)' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l no-forward -d 'Do not pass these on: spile ignores them as well, however often they come; without a value, none at all. Keys as with --rewrite. With run and pipe, whoever insists is still heard: a second INT within 2 s ends everything, a third kills it' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l ok -d 'Statuses that are a success, beside 0: 1,3-5,TERM; spile then exits 0' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l report -d 'Write one JSON object at the end, to a file, a descriptor, or stdout (-)' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -l events -d 'Write events as they happen, one JSON object a line. A reader who does not keep up holds nothing up, and is told how many lines were lost' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -l pid-file -d 'A file with the program\'s process id while it runs' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -l shell -d 'Run this line with /bin/sh -c; the words that follow are its $1, $2…' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l split -d 'Run this line, split into words as a shell does it, quotes and all, but without a shell' -r
complete -c spile -n "__fish_spile_using_subcommand run" -l args-from -d 'Add the lines of this file (- is stdin) as arguments, in as many runs as they need; entries may also end in null bytes' -r -F
complete -c spile -n "__fish_spile_using_subcommand run" -l merge -d 'stderr goes where stdout goes'
complete -c spile -n "__fish_spile_using_subcommand run" -l swap -d 'stdout goes where stderr would, and the other way round'
complete -c spile -n "__fish_spile_using_subcommand run" -l quiet-ok -d 'Hold output back, and show it only if the program fails'
complete -c spile -n "__fish_spile_using_subcommand run" -l ts -d 'Put the time before each line'
complete -c spile -n "__fish_spile_using_subcommand run" -l relay -d 'Pass output through pipes of spile\'s own: who keeps them open does not hold up our reader'
complete -c spile -n "__fish_spile_using_subcommand run" -l line-buffer -d 'Make stdout a terminal, so that the program writes every line at once; its bytes are not changed'
complete -c spile -n "__fish_spile_using_subcommand run" -l show-services -d 'Show the output of services on stderr, the name before each line'
complete -c spile -n "__fish_spile_using_subcommand run" -s i -l ignore-environment -d 'Begin with an empty environment'
complete -c spile -n "__fish_spile_using_subcommand run" -l close-fds -d 'Inherit no descriptor above 2'
complete -c spile -n "__fish_spile_using_subcommand run" -l session -d 'Start in a session of its own, without a terminal'
complete -c spile -n "__fish_spile_using_subcommand run" -l to-group -d 'Pass every signal on to the program\'s whole process group, which is a new one then, as \'tini -g\' and dumb-init do; usually that is so with what a terminal sends (INT, QUIT, TSTP, HUP, WINCH), TERM and CONT alone. A value (sigqueue(3)) reaches the program; others in the group get the signal without it'
complete -c spile -n "__fish_spile_using_subcommand run" -l exit-128 -d 'Exit 128 + N when the program dies of signal N; else spile dies of it, too'
complete -c spile -n "__fish_spile_using_subcommand run" -l time -d 'Say on stderr how long it took and what it used'
complete -c spile -n "__fish_spile_using_subcommand run" -l dry-run -d 'Say as JSON what would be run, and run nothing'
complete -c spile -n "__fish_spile_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand pipe" -l sep -d 'The word between stages' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -s s -l stage -d 'A stage as one word, split as a shell does it, quotes and all, but without a shell; may be repeated' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -s f -l file -d 'Read the stages from a file, one a line, split likewise; empty lines and # comments are skipped' -r -F
complete -c spile -n "__fish_spile_using_subcommand pipe" -l err -d 'Where the stages\' stderr goes: pass, label (each line with the stage\'s name), capture (into the report), null, a file, or append:FILE' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l pipe-size -d 'Make the pipes this large (256K by itself, where a user\'s share of memory for pipes allows it; 1M where spile moves the data)' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l meter -d 'Show on stderr, if it is a terminal, how much each stage has written, and whom the others wait for; the data is not touched (--meter=always: also where there is no terminal)' -r -f -a "auto\t'On a terminal'
always\t'Everywhere'"
complete -c spile -n "__fish_spile_using_subcommand pipe" -l report -d 'Write one JSON object at the end, to a file, a descriptor, or stdout (-)' -r -F
complete -c spile -n "__fish_spile_using_subcommand pipe" -l events -d 'Write events as they happen, one JSON object a line. A reader who does not keep up holds nothing up, and is told how many lines were lost' -r -F
complete -c spile -n "__fish_spile_using_subcommand pipe" -l status -d 'Whose status is the pipeline\'s: of the stages that failed the rightmost or the first, the last stage\'s, or 1 if any failed' -r -f -a "rightmost\t''
first\t''
last\t''
any\t''"
complete -c spile -n "__fish_spile_using_subcommand pipe" -l on-fail -d 'What the first failure does: drain (the others go on to their end) or stop (they are ended)' -r -f -a "drain\t''
stop\t''"
complete -c spile -n "__fish_spile_using_subcommand pipe" -s t -l timeout -d 'End everything after this long, with status 124 (0: never)' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l timeout-clock -d 'What the time limit counts: not the time in which spile itself was stopped (^Z), or all of it' -r -f -a "running\t''
wall\t''"
complete -c spile -n "__fish_spile_using_subcommand pipe" -l idle-timeout -d 'End everything when nothing has been written for this long; what `run` starts then writes through spile' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l cpu-timeout -d 'End everything after this much CPU time, all processes together' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l signal -d 'The signal that asks to end' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l grace -d 'Who has not ended after this long is killed; the last process counts, not the first' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l scope -d 'Whom ending reaches: the child, its process group, or the whole tree, whatever its sessions; what a daemon starts for it (systemd-run, docker, at) is nobody\'s descendant, and out of reach' -r -f -a "child\t''
group\t''
tree\t''"
complete -c spile -n "__fish_spile_using_subcommand pipe" -l orphans -d 'What happens to processes that outlive the program: leave, wait, term or kill; usually they are left, but when TERM, INT, HUP or QUIT was sent to spile, they end as well: TERM, and KILL after the grace' -r -f -a "leave\t''
wait\t''
term\t''
kill\t''"
complete -c spile -n "__fish_spile_using_subcommand pipe" -l linger -d 'When all stages have ended but something that one has left behind holds a pipe open, wait for more of it this long' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l signals -d 'What a program begins with: exactly what spile was started with (inherit), or everything at its default; usually PIPE is at its default and what was ignored stays so' -r -f -a "inherit\t''
default\t''"
complete -c spile -n "__fish_spile_using_subcommand pipe" -l ignore -d 'Ignored by the program, as nohup does with HUP' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l block -d 'Blocked in the program' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l default -d 'At their defaults and not blocked' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l rewrite -d 'Pass one signal on as another, or not at all: TERM:QUIT,HUP:none; keys as well: ^C is INT, ^\\ QUIT, ^Z TSTP. They come to spile alone then, until the program reads the terminal (that is said)' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l no-forward -d 'Do not pass these on: spile ignores them as well, however often they come; without a value, none at all. Keys as with --rewrite. With run and pipe, whoever insists is still heard: a second INT within 2 s ends everything, a third kills it' -r
complete -c spile -n "__fish_spile_using_subcommand pipe" -l dry-run -d 'Say as JSON what would be run, with the ends of each stage, and run nothing'
complete -c spile -n "__fish_spile_using_subcommand pipe" -l strict-pipe -d 'A stage that dies of a broken pipe has failed, as with bash\'s pipefail, even if its reader was content'
complete -c spile -n "__fish_spile_using_subcommand pipe" -l exit-128 -d 'Exit 128 + N when the deciding stage dies of signal N; else spile dies of it, too'
complete -c spile -n "__fish_spile_using_subcommand pipe" -l to-group -d 'Pass every signal on to the program\'s whole process group, which is a new one then, as \'tini -g\' and dumb-init do; usually that is so with what a terminal sends (INT, QUIT, TSTP, HUP, WINCH), TERM and CONT alone. A value (sigqueue(3)) reaches the program; others in the group get the signal without it'
complete -c spile -n "__fish_spile_using_subcommand pipe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand connect" -l preamble -d 'Send this file first' -r -F
complete -c spile -n "__fish_spile_using_subcommand connect" -l max-bytes -d 'End after this many bytes have been received' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -s q -l quit-after -d 'Leave after this much silence once our input has ended' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -s W -l datagrams -d 'Leave after this many datagrams have come' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l reply-timeout -d 'How long to wait for answers after stdin has ended (datagrams)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l escape -d 'The key that ends a raw session' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l grace -d 'How long the command may take to end once the peer is gone' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l stats -d 'Say at the end what was moved and how it ended, as text or JSON' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand connect" -l json -d 'The same as --stats=json; into a file where one is named' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand connect" -l capture -d 'Write what the peer (of relay: the left side) says to IN and what is said to it to OUT; {id} in a name is the number of the connection. IN or OUT may be empty' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l digest -d 'Tell the digests of what was sent and received at the end, on stderr and in --json' -r -f -a "sha256\t'SHA-256, FIPS 180-4'"
complete -c spile -n "__fish_spile_using_subcommand connect" -l progress -d 'Show bytes and rate on stderr where that is a terminal; =always: also elsewhere, a line each second' -r -f -a "auto\t'Where stderr is a terminal'
always\t'Always; as whole lines where stderr is no terminal'"
complete -c spile -n "__fish_spile_using_subcommand connect" -l rate -d 'Pass on no more than this a second, in each direction of each session' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l delay -d 'Pass each piece on this much later, in both directions (at most 4 MiB are under way)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l jitter -d 'And up to this much later still, by chance; the order is kept' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l idle-timeout -d 'End when nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l eof-timeout -d 'End when one side has ended and nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l deadline -d 'End after this long, whatever happens' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -s p -l source-port -d 'Local port to connect from' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l fastopen -d 'TCP Fast Open when connecting' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -s w -l connect-timeout -d 'How long one try to connect may take, a TLS handshake included (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l retry -d 'Try again so many times, or \'forever\'' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l forever -d 'Try again for ever' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l retry-delay -d 'First pause between tries (100ms; it grows to 2s)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l retry-for -d 'Try again until this much time has passed' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l proxy -d 'Connect through a proxy: http://, socks5h://, socks5:// or socks4a://, then [USER@]HOST:PORT' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l proxy-auth-file -d 'Who we are to the proxy: the first line of FILE is USER:PASSWORD' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l proxy-protocol -d 'Send a PROXY header ahead, which tells whom the connection is for: v1, v2, v2-tls, v2-tls-cert' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l broadcast -d 'Allow broadcast addresses (SO_BROADCAST)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l multicast-ttl -d 'Hops that multicast lives' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l multicast-loop -d 'Hear our own multicast' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l multicast-if -d 'Interface that multicast leaves by' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l mtu -d 'Most bytes of a stream in one datagram (8192)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l eof-on-empty -d 'An empty datagram is the end' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand connect" -s z -l zero -d 'Look at each address once and send nothing: does it answer? Several addresses and ranges of ports (20-25) are fine, -v tells of each; the status is 0 when all answer'
complete -c spile -n "__fish_spile_using_subcommand connect" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand connect" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand connect" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand connect" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand connect" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand connect" -s C -l crlf -d 'Send line ends as CR LF'
complete -c spile -n "__fish_spile_using_subcommand connect" -s K -l keep-sending -d 'Go on sending after the peer has ended'
complete -c spile -n "__fish_spile_using_subcommand connect" -l raw -d 'Put the terminal in raw mode, and back at the end'
complete -c spile -n "__fish_spile_using_subcommand connect" -l readline -d 'Edit lines before they are sent, with history; does nothing where stdin or stdout is no terminal'
complete -c spile -n "__fish_spile_using_subcommand connect" -l pty -d 'Give the command a terminal'
complete -c spile -n "__fish_spile_using_subcommand connect" -l ignore-child-status -d 'Exit 0 whatever the command\'s own status is'
complete -c spile -n "__fish_spile_using_subcommand connect" -l compat-env -d 'Tell the command of its connection also in the variables of socat, ncat and UCSPI (SOCAT_PEERADDR, NCAT_REMOTE_ADDR, TCPREMOTEIP and their kin)'
complete -c spile -n "__fish_spile_using_subcommand connect" -s d -l no-stdin -d 'Do not read stdin'
complete -c spile -n "__fish_spile_using_subcommand connect" -l send-only -d 'Send only: what comes back is thrown away, and the end of what is sent is the end'
complete -c spile -n "__fish_spile_using_subcommand connect" -l recv-only -d 'Receive only: nothing is sent'
complete -c spile -n "__fish_spile_using_subcommand connect" -s N -d 'Half-close when the input ends (always done; nc\'s letter)'
complete -c spile -n "__fish_spile_using_subcommand connect" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand connect" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand listen" -l preamble -d 'Send this file first' -r -F
complete -c spile -n "__fish_spile_using_subcommand listen" -l max-bytes -d 'End after this many bytes have been received' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -s q -l quit-after -d 'Leave after this much silence once our input has ended' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -s W -l datagrams -d 'Leave after this many datagrams have come' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l reply-file -d 'Answer with this file once the peer has said something, in place of stdin (a mock server)' -r -F
complete -c spile -n "__fish_spile_using_subcommand listen" -l stats -d 'Say at the end what was moved and how it ended, as text or JSON' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand listen" -l json -d 'The same as --stats=json; into a file where one is named' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand listen" -l capture -d 'Write what the peer (of relay: the left side) says to IN and what is said to it to OUT; {id} in a name is the number of the connection. IN or OUT may be empty' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l digest -d 'Tell the digests of what was sent and received at the end, on stderr and in --json' -r -f -a "sha256\t'SHA-256, FIPS 180-4'"
complete -c spile -n "__fish_spile_using_subcommand listen" -l progress -d 'Show bytes and rate on stderr where that is a terminal; =always: also elsewhere, a line each second' -r -f -a "auto\t'Where stderr is a terminal'
always\t'Always; as whole lines where stderr is no terminal'"
complete -c spile -n "__fish_spile_using_subcommand listen" -l rate -d 'Pass on no more than this a second, in each direction of each session' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l delay -d 'Pass each piece on this much later, in both directions (at most 4 MiB are under way)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l jitter -d 'And up to this much later still, by chance; the order is kept' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l idle-timeout -d 'End when nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l eof-timeout -d 'End when one side has ended and nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l deadline -d 'End after this long, whatever happens' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l max-total -l count -d 'Serve this many connections in all, then end; a datagram peer is one until it falls silent, for --grace at most' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l allow-file -d 'Networks that may connect, one a line; read again on HUP' -r -F
complete -c spile -n "__fish_spile_using_subcommand listen" -l port-file -d 'Write the port number to this file once peers can connect' -r -F
complete -c spile -n "__fish_spile_using_subcommand listen" -l ready-fd -d 'Write a newline to this descriptor once peers can connect' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l grace -d 'How long open connections may take to finish after TERM; a second TERM ends them at once' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l reuseaddr -d 'Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l v6only -d 'An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l backlog -d 'Peers that may wait to be accepted (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l accept-timeout -d 'How long to wait for the first peer' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l max-conns -d 'Connections served at once; more wait. Who has still to shake hands is not counted' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l allow -d 'Networks that may connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l deny -d 'Networks that may not connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l accept-proxy -d 'Peers are proxies and send a PROXY header ahead, which tells whom they connect for; allow=CIDR says which may' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l join -d 'Multicast group to receive; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l session-idle -d 'Silence that ends a datagram peer\'s session (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l max-sessions -d 'Datagram peers at once; the longest silent one makes room (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l mtu -d 'Most bytes of a stream in one datagram (8192)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l eof-on-empty -d 'An empty datagram is the end' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l handshake-timeout -d 'How long a handshake or a PROXY header may take (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l max-handshakes -d 'Peers that may have a handshake or a PROXY header still to make; the one that came first makes room for more (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand listen" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand listen" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand listen" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand listen" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand listen" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand listen" -s k -l keep -d 'Serve one connection after the other for ever, with a command all at once'
complete -c spile -n "__fish_spile_using_subcommand listen" -l once -d 'Serve one connection, then end (the default without -k)'
complete -c spile -n "__fish_spile_using_subcommand listen" -l ignore-empty -d 'A connection that ends without a byte does not count as the one (a port probe)'
complete -c spile -n "__fish_spile_using_subcommand listen" -s C -l crlf -d 'Send line ends as CR LF'
complete -c spile -n "__fish_spile_using_subcommand listen" -s K -l keep-sending -d 'Go on sending after the peer has ended'
complete -c spile -n "__fish_spile_using_subcommand listen" -l pty -d 'Give the command a terminal'
complete -c spile -n "__fish_spile_using_subcommand listen" -l ignore-child-status -d 'Exit 0 whatever the command\'s own status is'
complete -c spile -n "__fish_spile_using_subcommand listen" -l compat-env -d 'Tell the command of its connection also in the variables of socat, ncat and UCSPI (SOCAT_PEERADDR, NCAT_REMOTE_ADDR, TCPREMOTEIP and their kin)'
complete -c spile -n "__fish_spile_using_subcommand listen" -s d -l no-stdin -d 'Do not read stdin'
complete -c spile -n "__fish_spile_using_subcommand listen" -l send-only -d 'Send only: what comes back is thrown away, and the end of what is sent is the end'
complete -c spile -n "__fish_spile_using_subcommand listen" -l recv-only -d 'Receive only: nothing is sent'
complete -c spile -n "__fish_spile_using_subcommand listen" -s N -d 'Half-close when the input ends (always done; nc\'s letter)'
complete -c spile -n "__fish_spile_using_subcommand listen" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand listen" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand relay" -l stats -d 'Say at the end what was moved and how it ended, as text or JSON' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand relay" -l json -d 'The same as --stats=json; into a file where one is named' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand relay" -l capture -d 'Write what the peer (of relay: the left side) says to IN and what is said to it to OUT; {id} in a name is the number of the connection. IN or OUT may be empty' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l digest -d 'Tell the digests of what was sent and received at the end, on stderr and in --json' -r -f -a "sha256\t'SHA-256, FIPS 180-4'"
complete -c spile -n "__fish_spile_using_subcommand relay" -l progress -d 'Show bytes and rate on stderr where that is a terminal; =always: also elsewhere, a line each second' -r -f -a "auto\t'Where stderr is a terminal'
always\t'Always; as whole lines where stderr is no terminal'"
complete -c spile -n "__fish_spile_using_subcommand relay" -l rate -d 'Pass on no more than this a second, in each direction of each session' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l delay -d 'Pass each piece on this much later, in both directions (at most 4 MiB are under way)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l jitter -d 'And up to this much later still, by chance; the order is kept' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l idle-timeout -d 'End when nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l eof-timeout -d 'End when one side has ended and nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l deadline -d 'End after this long, whatever happens' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l max-total -l count -d 'Serve this many connections in all, then end; a datagram peer is one until it falls silent, for --grace at most' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l allow-file -d 'Networks that may connect, one a line; read again on HUP' -r -F
complete -c spile -n "__fish_spile_using_subcommand relay" -l port-file -d 'Write the port number to this file once peers can connect' -r -F
complete -c spile -n "__fish_spile_using_subcommand relay" -l ready-fd -d 'Write a newline to this descriptor once peers can connect' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l grace -d 'How long open connections may take to finish after TERM; a second TERM ends them at once' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -s p -l source-port -d 'Local port to connect from' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l fastopen -d 'TCP Fast Open when connecting' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l reuseaddr -d 'Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l v6only -d 'An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l backlog -d 'Peers that may wait to be accepted (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -s w -l connect-timeout -d 'How long one try to connect may take, a TLS handshake included (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l accept-timeout -d 'How long to wait for the first peer' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l retry -d 'Try again so many times, or \'forever\'' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l forever -d 'Try again for ever' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l retry-delay -d 'First pause between tries (100ms; it grows to 2s)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l retry-for -d 'Try again until this much time has passed' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l max-conns -d 'Connections served at once; more wait. Who has still to shake hands is not counted' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l allow -d 'Networks that may connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l deny -d 'Networks that may not connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l proxy -d 'Connect through a proxy: http://, socks5h://, socks5:// or socks4a://, then [USER@]HOST:PORT' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l proxy-auth-file -d 'Who we are to the proxy: the first line of FILE is USER:PASSWORD' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l proxy-protocol -d 'Send a PROXY header ahead, which tells whom the connection is for: v1, v2, v2-tls, v2-tls-cert' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l accept-proxy -d 'Peers are proxies and send a PROXY header ahead, which tells whom they connect for; allow=CIDR says which may' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l broadcast -d 'Allow broadcast addresses (SO_BROADCAST)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l join -d 'Multicast group to receive; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l multicast-ttl -d 'Hops that multicast lives' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l multicast-loop -d 'Hear our own multicast' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l multicast-if -d 'Interface that multicast leaves by' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l session-idle -d 'Silence that ends a datagram peer\'s session (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l max-sessions -d 'Datagram peers at once; the longest silent one makes room (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l mtu -d 'Most bytes of a stream in one datagram (8192)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l eof-on-empty -d 'An empty datagram is the end' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l handshake-timeout -d 'How long a handshake or a PROXY header may take (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l max-handshakes -d 'Peers that may have a handshake or a PROXY header still to make; the one that came first makes room for more (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand relay" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand relay" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand relay" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand relay" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand relay" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand relay" -l once -d 'Serve one connection, then end'
complete -c spile -n "__fish_spile_using_subcommand relay" -l pty -d 'Give the command a terminal'
complete -c spile -n "__fish_spile_using_subcommand relay" -l ignore-child-status -d 'Exit 0 whatever the command\'s own status is'
complete -c spile -n "__fish_spile_using_subcommand relay" -l compat-env -d 'Tell the command of its connection also in the variables of socat, ncat and UCSPI (SOCAT_PEERADDR, NCAT_REMOTE_ADDR, TCPREMOTEIP and their kin)'
complete -c spile -n "__fish_spile_using_subcommand relay" -s d -l no-stdin -d 'Do not read stdin'
complete -c spile -n "__fish_spile_using_subcommand relay" -l send-only -d 'Send only: what comes back is thrown away, and the end of what is sent is the end'
complete -c spile -n "__fish_spile_using_subcommand relay" -l recv-only -d 'Receive only: nothing is sent'
complete -c spile -n "__fish_spile_using_subcommand relay" -s N -d 'Half-close when the input ends (always done; nc\'s letter)'
complete -c spile -n "__fish_spile_using_subcommand relay" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand relay" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand relay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "dev" -d 'A CA, a server\'s, a client\'s certificate and a revocation list in one go, for tests'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "self" -d 'A server\'s certificate that is signed by itself'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "ca" -d 'An authority (CA), which signs servers and clients'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "sign" -d 'A certificate signed by an authority'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "csr" -d 'A request (CSR) for an authority elsewhere'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "crl" -d 'A revocation list (CRL)'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "show" -d 'What certificates, requests, revocation lists and keys say'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "verify" -d 'Whether a chain is good for a name, at a time, without a connection'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "convert" -d 'From PEM to DER and back'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "pin" -d 'The pin of a certificate\'s key, for --pin'
complete -c spile -n "__fish_spile_using_subcommand cert; and not __fish_seen_subcommand_from dev self ca sign csr crl show verify convert pin match" -f -a "match" -d 'Whether a key belongs to a certificate'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -s d -l dir -d 'The directory to write to, made if there is none' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l ca-key-out -d 'Keep the key of the CA in this file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l days -d 'How many days it is good' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l not-before -d 'From when it is good: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now; an hour ago if not given' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l not-after -d 'Until when it is good; times that have passed are fine, too' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l key-type -d 'The kind of key' -r -f -a "p256\t''
p384\t''
ed25519\t''
rsa3072\t''
ml-dsa-65\t'OpenSSL knows it from 3.5 on'"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l pass-file -d 'Encrypt the key with the first line of this file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from dev" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l uri -d 'A URI that it is good for: spiffe://example.org/db' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l cn -d 'Its common name, instead of the first NAME' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l ou -d 'Its organisational unit' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l days -d 'How many days it is good' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l not-before -d 'From when it is good: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now; an hour ago if not given' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l not-after -d 'Until when it is good; times that have passed are fine, too' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l key-type -d 'The kind of key' -r -f -a "p256\t''
p384\t''
ed25519\t''
rsa3072\t''
ml-dsa-65\t'OpenSSL knows it from 3.5 on'"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l pass-file -d 'Encrypt the key with the first line of this file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -s o -l out -d 'The file to write, instead of stdout' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l key-out -d 'The file for the key, instead of beside the certificate' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l client -d 'It is a client\'s'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from self" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l cn -d 'Its common name' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l ou -d 'Its organisational unit' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l days -d 'How many days it is good' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l not-before -d 'From when it is good: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now; an hour ago if not given' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l not-after -d 'Until when it is good; times that have passed are fine, too' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l key-type -d 'The kind of key' -r -f -a "p256\t''
p384\t''
ed25519\t''
rsa3072\t''
ml-dsa-65\t'OpenSSL knows it from 3.5 on'"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l pass-file -d 'Encrypt the key with the first line of this file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -s o -l out -d 'The file to write, instead of stdout' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l key-out -d 'The file for the key, instead of beside the certificate' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from ca" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l ca -d 'The certificate of the authority, perhaps with its key in the same file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l ca-key -d 'The key of the authority, where it is a file of its own' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l ca-pass-file -d 'The first line of this file opens that key' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l uri -d 'A URI that it is good for: spiffe://example.org/db' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l cn -d 'Its common name, instead of the first NAME' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l ou -d 'Its organisational unit' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l csr -d 'Certify the key of this request; of all that it asks for, its name and alternative names are taken; - is stdin' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l days -d 'How many days it is good' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l not-before -d 'From when it is good: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now; an hour ago if not given' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l not-after -d 'Until when it is good; times that have passed are fine, too' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l key-type -d 'The kind of key' -r -f -a "p256\t''
p384\t''
ed25519\t''
rsa3072\t''
ml-dsa-65\t'OpenSSL knows it from 3.5 on'"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l pass-file -d 'Encrypt the key with the first line of this file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -s o -l out -d 'The file to write, instead of stdout' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l key-out -d 'The file for the key, instead of beside the certificate' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l strict-perms -d 'Refuse a key that others can read, instead of a warning'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l client -d 'It is a client\'s'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from sign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l uri -d 'A URI that it is good for: spiffe://example.org/db' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l cn -d 'Its common name, instead of the first NAME' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l ou -d 'Its organisational unit' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l key-type -d 'The kind of key' -r -f -a "p256\t''
p384\t''
ed25519\t''
rsa3072\t''
ml-dsa-65\t'OpenSSL knows it from 3.5 on'"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l pass-file -d 'Encrypt the key with the first line of this file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l key-out -d 'The file for the new key; never in one with the request, which is sent away' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l key -d 'A key that there is; --pass-file then opens it' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -s o -l out -d 'The file to write, instead of stdout' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l strict-perms -d 'Refuse a key that others can read, instead of a warning'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from csr" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l ca -d 'The certificate of the authority, perhaps with its key in the same file' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l ca-key -d 'The key of the authority, where it is a file of its own' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l ca-pass-file -d 'The first line of this file opens that key' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l revoke -d 'Revoke the certificate with this serial (\'spile cert show\' tells it)' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l revoke-cert -d 'Revoke the certificate in this file, which must be one of this authority; of a chain, the first counts' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l number -d 'The number of the list, which must grow from one to the next; the seconds since 1970 if not given' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l days -d 'How many days it is good' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l not-before -d 'From when it is good: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h, now; an hour ago if not given' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l not-after -d 'Until when it is good; times that have passed are fine, too' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -s o -l out -d 'The file to write, instead of stdout' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l strict-perms -d 'Refuse a key that others can read, instead of a warning'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from crl" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from show" -l expires-in -d 'Status 3 where a certificate of the file expires within this time, 60 where one has expired' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from show" -l json -d 'One JSON object'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l cafile -d 'Trust the authorities in this file or directory, and nobody else unless --roots says so' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l roots -d 'Trust the roots of this system, those of Mozilla that came with spile, or none (with --cafile, none is meant)' -r -f -a "system\t''
mozilla\t''
none\t''"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l name -d 'The DNS name or address that a server must have; without it, one of its own will do' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l at -d 'When: 2027-01-01T00:00:00Z, 2027-01-01, -10d, +1h' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l purpose -d 'What it is to be used for' -r -f -a "server\t''
client\t''"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l crl -d 'Revocation lists; every certificate of the chain must be covered by one that is not overdue' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l expires-in -d 'Status 3 where it is good, but will not be after this time: it, or one that leads to its authority, expires' -r
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -l json -d 'One JSON object, also of what is refused'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from convert" -l to -d 'The form that is wanted' -r -f -a "der\t'Bytes, one object'
pem\t'Text, one object or many'"
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from convert" -s o -l out -d 'The file to write, instead of stdout' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from convert" -l force -d 'Replace files that exist'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from convert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from pin" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from match" -l pass-file -d 'The first line of this file opens the key' -r -F
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from match" -l strict-perms -d 'Refuse a key that others can read, instead of a warning'
complete -c spile -n "__fish_spile_using_subcommand cert; and __fish_seen_subcommand_from match" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand chat" -s e -l step -d 'A step, after those of each script or without any; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l set -d 'Give a variable of the scripts a value: ${NAME}; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -s t -l deadline -d 'How long a whole conversation may take, and the command of --then where none goes on' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand chat" -l format -d 'Tell of all conversations in one document on stdout; text is none: a message on stderr where one fails' -r -f -a "text\t'A message on stderr where a conversation fails, nothing else'
tap\t'The Test Anything Protocol, for prove(1)'
junit\t'JUnit\'s XML, for CI servers'
json\t'One object, schema spile.chat/1'"
complete -c spile -n "__fish_spile_using_subcommand chat" -l report -d 'Write the document to this file, or to stdout (-); JSON unless --format says otherwise' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l eol -d 'What > adds, as .eol has it: \\r\\n to sockets, \\n to programs, \\r to those on a terminal' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l term -d 'What ends a unit, as .term has it: TEXT, a number of bytes, line or none (line)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l step-timeout -d 'How long each step may wait, as .timeout has it: to hear what it wants, or for the peer to take more of what it says; a whole step that says something may take longer, and pauses do not count' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l max-buffer -d 'Most that is kept of what was heard, for a step to decide; more is a failure' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l size -d 'Size of the terminal of pty: (80x24)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l grace -d 'How long a program may take to end after the conversation, and again after HUP and TERM, before KILL; whom HUP ends has status 129 for .exit; a terminal that pty,raw: made raw is hung up at once, as ^D is no end there, unless .exit asks for the program\'s status' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l clients -d 'Talk to this many clients, then end; the n-th one gets the n-th script, the last script is that of all further ones (one for each script; with --then, until the command ends). Each has to come within a minute, or --accept-timeout, of which 0 is for ever; with --then the command has to end, or the next client to come, within the time of -t or --accept-timeout, or 10 minutes' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l concurrent -d 'Talk to clients at once, to N at most; without this, one after the other' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l then -d 'Run this shell line once clients can connect, told where by SPILE_PORT and SPILE_ADDR (HOST:PORT, or the address of what has no port); it must pass, too (where --format has stdout, what it prints goes to stderr)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l port-file -d 'Write the port number to this file once clients can connect' -r -F
complete -c spile -n "__fish_spile_using_subcommand chat" -l ready-fd -d 'Write a newline to this descriptor once clients can connect' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l record -d 'Hold no script: connect stdin and stdout with TARGET, or TARGET with a second address after it, and write what both say to this new file as a script; passwords are in it, too' -r -F
complete -c spile -n "__fish_spile_using_subcommand chat" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -s p -l source-port -d 'Local port to connect from' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l fastopen -d 'TCP Fast Open when connecting' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l reuseaddr -d 'Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l v6only -d 'An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l backlog -d 'Peers that may wait to be accepted (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -s w -l connect-timeout -d 'How long one try to connect may take, a TLS handshake included (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l accept-timeout -d 'How long to wait for the first peer' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l retry -d 'Try again so many times, or \'forever\'' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l forever -d 'Try again for ever' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l retry-delay -d 'First pause between tries (100ms; it grows to 2s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l retry-for -d 'Try again until this much time has passed' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l max-conns -d 'Connections served at once; more wait. Who has still to shake hands is not counted' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow -d 'Networks that may connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l deny -d 'Networks that may not connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l proxy -d 'Connect through a proxy: http://, socks5h://, socks5:// or socks4a://, then [USER@]HOST:PORT' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l proxy-auth-file -d 'Who we are to the proxy: the first line of FILE is USER:PASSWORD' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l proxy-protocol -d 'Send a PROXY header ahead, which tells whom the connection is for: v1, v2, v2-tls, v2-tls-cert' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l accept-proxy -d 'Peers are proxies and send a PROXY header ahead, which tells whom they connect for; allow=CIDR says which may' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l broadcast -d 'Allow broadcast addresses (SO_BROADCAST)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l join -d 'Multicast group to receive; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l multicast-ttl -d 'Hops that multicast lives' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l multicast-loop -d 'Hear our own multicast' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l multicast-if -d 'Interface that multicast leaves by' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l session-idle -d 'Silence that ends a datagram peer\'s session (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l max-sessions -d 'Datagram peers at once; the longest silent one makes room (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l mtu -d 'Most bytes of a stream in one datagram (8192)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l eof-on-empty -d 'An empty datagram is the end' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l cafile -d 'Authorities to trust instead of the system\'s: a file or a directory; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l ca-add -d 'Authorities to trust beside the others; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l roots -d 'Whose authorities to trust: system, mozilla (built in) or none' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l trust-cert -d 'Trust exactly this certificate, an authority or not; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l pin -d 'The peer\'s key must be this one, too; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l pin-only -d 'The pin stands in for names, dates and authorities' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l crl -d 'Revocation list; one that has expired is an error; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l crl-soft -d 'Certificates that no list is about are fine' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l staple -d 'The OCSP response that a server staples: check it where there is one, require one, or ignore it (check)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l insecure -d 'Go on whoever the peer is; what is wrong is still told' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l name -d 'Who the peer must be, and is asked for (HOST of the address)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l sni -d 'The host that is asked for, if another than the one verified' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l no-sni -d 'Ask for no host' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l cert -d 'Our certificate and what leads to its authority; the key may be in it' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l key -d 'Our key, where the certificate\'s file has none' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l pass-file -d 'The passphrase of the key: the first line of a file or /dev/fd/N' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l min -d 'Oldest version of TLS (1.2)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l max -d 'Newest version of TLS (1.3)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l groups -d 'Key exchange groups, such as x25519:secp256r1; the order of the client counts' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l ciphers -d 'Cipher suites, preferred ones first, such as TLS_AES_128_GCM_SHA256' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l alpn -d 'Application protocols to offer or to take: h2,http/1.1' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l expect-alpn -d 'The application protocol that must come of it' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l starttls -d 'Begin in plain text and ask for TLS as this protocol does: smtp lmtp imap pop3 ftp nntp xmpp xmpp-server postgres mysql ldap sieve irc telnet' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l no-half-close -d 'Keep our end (close_notify) back until the peer has said its own' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l linger -d 'How long to wait at the end for the peer to have read everything (5s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l ignore-unexpected-eof -d 'A connection that ends without close_notify has ended well' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l handshake-timeout -d 'How long a handshake or a PROXY header may take (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l keylog -d 'Write the keys of sessions to this file, for wireshark: whoever has it can read them' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l strict-perms -d 'A key that others can read is an error' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l at -d 'Judge certificates as if it were then (RFC 3339)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l self-signed -d 'Make a certificate for these names, for this run alone (localhost)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l sni-cert -d 'Another certificate, for clients that ask for NAME; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l strict-sni -d 'Refuse clients that ask for a host we have no certificate for' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l ocsp -d 'OCSP response to staple to the certificate (DER)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l client-ca -d 'Clients must show a certificate of these authorities; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l client-optional -d 'Clients may also show none' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow-any -d 'Any certificate of the client authorities will do' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow-dns -d 'Clients whose certificate names this host; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow-uri -d 'Clients whose certificate names this URI; * is one segment of its path; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow-cn -d 'Clients with this common name; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow-ou -d 'Clients of this organizational unit; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l allow-pin -d 'Clients with this key; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l tickets -d 'Tickets for quicker handshakes to give to each client (2)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l max-handshakes -d 'Peers that may have a handshake or a PROXY header still to make; the one that came first makes room for more (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l reload-every -d 'Look this often whether certificates, keys and lists have changed, and read them again' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l cert-out -d 'Write the certificate of --self-signed to this file, for clients to trust' -r
complete -c spile -n "__fish_spile_using_subcommand chat" -l swap -d 'Play the other side: hear what the scripts say, and say what they hear; --eol and --term change sides, too'
complete -c spile -n "__fish_spile_using_subcommand chat" -l check -d 'Read the scripts, say what is wrong with them, and talk to nobody; a target is not needed, but may stand there'
complete -c spile -n "__fish_spile_using_subcommand chat" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand chat" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand chat" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand chat" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand chat" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand chat" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand chat" -l strict -d 'Whatever is left unread at the end is a failure'
complete -c spile -n "__fish_spile_using_subcommand chat" -l echo -d 'The terminal of pty: echoes what it is told'
complete -c spile -n "__fish_spile_using_subcommand chat" -s v -l verbose -d 'Say more on stderr: what is said and heard, and when'
complete -c spile -n "__fish_spile_using_subcommand chat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l settle -d 'With --check: how long to wait after the handshake for a ticket, data or a refusal, by which a server of TLS 1.3 tells whether it takes our certificate' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l expires-in -d 'Status 3 if a certificate that the server sends expires within this time' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l reconnect -d 'With --check: connect so many times more, which resumes the session of the first where the server agrees' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l print -d 'Print what the server shows, also if it is not trusted: its certificate, all that it sends, both in PEM; what they say; the pin of its key' -r -f -a "cert\t'Its certificate, PEM'
chain\t'All certificates as it sends them, PEM'
text\t'What they say'
pin\t'The pin of its key'"
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l preamble -d 'Send this file first' -r -F
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l max-bytes -d 'End after this many bytes have been received' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s q -l quit-after -d 'Leave after this much silence once our input has ended' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s W -l datagrams -d 'Leave after this many datagrams have come' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l reply-timeout -d 'How long to wait for answers after stdin has ended (datagrams)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l escape -d 'The key that ends a raw session' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l grace -d 'How long the command may take to end once the peer is gone' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l stats -d 'Say at the end what was moved and how it ended, as text or JSON' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l capture -d 'Write what the peer (of relay: the left side) says to IN and what is said to it to OUT; {id} in a name is the number of the connection. IN or OUT may be empty' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l digest -d 'Tell the digests of what was sent and received at the end, on stderr and in --json' -r -f -a "sha256\t'SHA-256, FIPS 180-4'"
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l progress -d 'Show bytes and rate on stderr where that is a terminal; =always: also elsewhere, a line each second' -r -f -a "auto\t'Where stderr is a terminal'
always\t'Always; as whole lines where stderr is no terminal'"
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l rate -d 'Pass on no more than this a second, in each direction of each session' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l delay -d 'Pass each piece on this much later, in both directions (at most 4 MiB are under way)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l jitter -d 'And up to this much later still, by chance; the order is kept' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l idle-timeout -d 'End when nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l eof-timeout -d 'End when one side has ended and nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l deadline -d 'End after this long, whatever happens' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s p -l source-port -d 'Local port to connect from' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l fastopen -d 'TCP Fast Open when connecting' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s w -l connect-timeout -l timeout -d 'How long one try to connect may take, a TLS handshake included (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l retry -d 'Try again so many times, or \'forever\'' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l forever -d 'Try again for ever' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l retry-delay -d 'First pause between tries (100ms; it grows to 2s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l retry-for -d 'Try again until this much time has passed' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l proxy -d 'Connect through a proxy: http://, socks5h://, socks5:// or socks4a://, then [USER@]HOST:PORT' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l proxy-auth-file -d 'Who we are to the proxy: the first line of FILE is USER:PASSWORD' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l proxy-protocol -d 'Send a PROXY header ahead, which tells whom the connection is for: v1, v2, v2-tls, v2-tls-cert' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l cafile -d 'Authorities to trust instead of the system\'s: a file or a directory; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l ca-add -d 'Authorities to trust beside the others; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l roots -d 'Whose authorities to trust: system, mozilla (built in) or none' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l trust-cert -d 'Trust exactly this certificate, an authority or not; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l pin -d 'The peer\'s key must be this one, too; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l pin-only -d 'The pin stands in for names, dates and authorities' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l crl -d 'Revocation list; one that has expired is an error; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l crl-soft -d 'Certificates that no list is about are fine' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l staple -d 'The OCSP response that a server staples: check it where there is one, require one, or ignore it (check)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l insecure -d 'Go on whoever the peer is; what is wrong is still told' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l name -d 'Who the peer must be, and is asked for (HOST of the address)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l sni -d 'The host that is asked for, if another than the one verified' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l no-sni -d 'Ask for no host' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l cert -d 'Our certificate and what leads to its authority; the key may be in it' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l key -d 'Our key, where the certificate\'s file has none' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l pass-file -d 'The passphrase of the key: the first line of a file or /dev/fd/N' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l min -d 'Oldest version of TLS (1.2)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l max -d 'Newest version of TLS (1.3)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l groups -d 'Key exchange groups, such as x25519:secp256r1; the order of the client counts' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l ciphers -d 'Cipher suites, preferred ones first, such as TLS_AES_128_GCM_SHA256' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l alpn -d 'Application protocols to offer or to take: h2,http/1.1' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l expect-alpn -d 'The application protocol that must come of it' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l starttls -d 'Begin in plain text and ask for TLS as this protocol does: smtp lmtp imap pop3 ftp nntp xmpp xmpp-server postgres mysql ldap sieve irc telnet' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l no-half-close -d 'Keep our end (close_notify) back until the peer has said its own' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l linger -d 'How long to wait at the end for the peer to have read everything (5s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l ignore-unexpected-eof -d 'A connection that ends without close_notify has ended well' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l handshake-timeout -d 'How long a handshake or a PROXY header may take (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l keylog -d 'Write the keys of sessions to this file, for wireshark: whoever has it can read them' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l strict-perms -d 'A key that others can read is an error' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l at -d 'Judge certificates as if it were then (RFC 3339)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l json -d 'Report the TLS session as one JSON object, of a failure as well: in a file, or on stdout with --check, on stderr without' -r
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l check -d 'Shake hands, hear whether the server takes us, close, and say in one line what came of it: nothing is sent'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l expect-resumed -d 'Status 4 if one of those is not resumed'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l json-pem -d 'Put the certificates into the report of --json, in PEM'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l show-pin -d 'Tell the server\'s pin where it is not the one that is asked for'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s C -l crlf -d 'Send line ends as CR LF'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s K -l keep-sending -d 'Go on sending after the peer has ended'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l raw -d 'Put the terminal in raw mode, and back at the end'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l readline -d 'Edit lines before they are sent, with history; does nothing where stdin or stdout is no terminal'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l pty -d 'Give the command a terminal'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l ignore-child-status -d 'Exit 0 whatever the command\'s own status is'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l compat-env -d 'Tell the command of its connection also in the variables of socat, ncat and UCSPI (SOCAT_PEERADDR, NCAT_REMOTE_ADDR, TCPREMOTEIP and their kin)'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s d -l no-stdin -d 'Do not read stdin'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l send-only -d 'Send only: what comes back is thrown away, and the end of what is sent is the end'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l recv-only -d 'Receive only: nothing is sent'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s N -d 'Half-close when the input ends (always done; nc\'s letter)'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand tls-connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l preamble -d 'Send this file first' -r -F
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l max-bytes -d 'End after this many bytes have been received' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s q -l quit-after -d 'Leave after this much silence once our input has ended' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l forward -d 'Pass each connection on in plain text to this address: on this host, or a Unix socket. A client that is cut off resets a TCP connection; a Unix socket knows no reset and is closed both ways at once' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l proxy-protocol -d 'Tell the server behind --forward whom it serves, by a PROXY header: v1, v2; v2,tls adds what was negotiated, v2,tls,cert the client\'s certificate' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l send -d 'Send this file to each client' -r -F
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l max-total -l count -d 'Serve this many connections in all, then end; a datagram peer is one until it falls silent, for --grace at most' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-file -d 'Networks that may connect, one a line; read again on HUP' -r -F
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l port-file -d 'Write the port number to this file once peers can connect' -r -F
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l ready-fd -d 'Write a newline to this descriptor once peers can connect' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l grace -d 'How long open connections may take to finish after TERM; a second TERM ends them at once' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l json -d 'Write a report of each connection as JSON, one a line, also of those whose handshake fails: to stderr, or into FILE' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l capture -d 'Write what the peer (of relay: the left side) says to IN and what is said to it to OUT; {id} in a name is the number of the connection. IN or OUT may be empty' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l digest -d 'Tell the digests of what was sent and received at the end, on stderr and in --json' -r -f -a "sha256\t'SHA-256, FIPS 180-4'"
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l progress -d 'Show bytes and rate on stderr where that is a terminal; =always: also elsewhere, a line each second' -r -f -a "auto\t'Where stderr is a terminal'
always\t'Always; as whole lines where stderr is no terminal'"
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l rate -d 'Pass on no more than this a second, in each direction of each session' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l delay -d 'Pass each piece on this much later, in both directions (at most 4 MiB are under way)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l jitter -d 'And up to this much later still, by chance; the order is kept' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l eof-timeout -d 'End when one side has ended and nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l deadline -d 'End after this long, whatever happens' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l reuseaddr -d 'Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l v6only -d 'An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l backlog -d 'Peers that may wait to be accepted (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l accept-timeout -d 'How long to wait for the first peer' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l max-conns -d 'Connections served at once; more wait. Who has still to shake hands is not counted' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow -d 'Networks that may connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l deny -d 'Networks that may not connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l accept-proxy -d 'Peers are proxies and send a PROXY header ahead, which tells whom they connect for; allow=CIDR says which may' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l crl -d 'Revocation list; one that has expired is an error; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l crl-soft -d 'Certificates that no list is about are fine' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l cert -d 'Our certificate and what leads to its authority; the key may be in it' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l key -d 'Our key, where the certificate\'s file has none' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l pass-file -d 'The passphrase of the key: the first line of a file or /dev/fd/N' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l min -d 'Oldest version of TLS (1.2)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l max -d 'Newest version of TLS (1.3)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l groups -d 'Key exchange groups, such as x25519:secp256r1; the order of the client counts' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l ciphers -d 'Cipher suites, preferred ones first, such as TLS_AES_128_GCM_SHA256' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l alpn -d 'Application protocols to offer or to take: h2,http/1.1' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l no-half-close -d 'Keep our end (close_notify) back until the peer has said its own' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l linger -d 'How long to wait at the end for the peer to have read everything (5s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l ignore-unexpected-eof -d 'A connection that ends without close_notify has ended well' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l handshake-timeout -d 'How long a handshake or a PROXY header may take (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l keylog -d 'Write the keys of sessions to this file, for wireshark: whoever has it can read them' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l strict-perms -d 'A key that others can read is an error' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l at -d 'Judge certificates as if it were then (RFC 3339)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l self-signed -d 'Make a certificate for these names, for this run alone (localhost)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l sni-cert -d 'Another certificate, for clients that ask for NAME; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l strict-sni -d 'Refuse clients that ask for a host we have no certificate for' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l ocsp -d 'OCSP response to staple to the certificate (DER)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l client-ca -d 'Clients must show a certificate of these authorities; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l client-optional -d 'Clients may also show none' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-any -d 'Any certificate of the client authorities will do' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-dns -d 'Clients whose certificate names this host; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-uri -d 'Clients whose certificate names this URI; * is one segment of its path; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-cn -d 'Clients with this common name; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-ou -d 'Clients of this organizational unit; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l allow-pin -d 'Clients with this key; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l tickets -d 'Tickets for quicker handshakes to give to each client (2)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l max-handshakes -d 'Peers that may have a handshake or a PROXY header still to make; the one that came first makes room for more (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l reload-every -d 'Look this often whether certificates, keys and lists have changed, and read them again' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l cert-out -d 'Write the certificate of --self-signed to this file, for clients to trust' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l idle-timeout -d 'End a connection when nothing has moved for this long (10m; 0 is never)' -r
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l pty -d 'Give the command a terminal'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l ignore-child-status -d 'Exit 0 whatever the command\'s own status is'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l compat-env -d 'Tell the command of its connection also in the variables of socat, ncat and UCSPI (SOCAT_PEERADDR, NCAT_REMOTE_ADDR, TCPREMOTEIP and their kin)'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s C -l crlf -d 'Send line ends as CR LF'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s K -l keep-sending -d 'Go on sending after the peer has ended'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s d -l no-stdin -d 'Do not read stdin'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l send-only -d 'Send only: what comes back is thrown away, and the end of what is sent is the end'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l recv-only -d 'Receive only: nothing is sent'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s N -d 'Half-close when the input ends (always done; nc\'s letter)'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l unsafe-forward -d 'Let --forward send plain text over a network, and --proxy-protocol the client\'s name ahead of TLS'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l echo -d 'Send back what comes'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l discard -d 'Throw away what comes'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l once -d 'Serve one connection, then end as it has ended (over stdin and stdout always). A handshake that fails does not count'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s k -l keep -d 'Over stdin and stdout: serve one connection after the other for ever'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -l show-hello -d 'Show what each client offers: host, application protocols, groups, cipher suites, signatures. With --once the first client is the one, even if its handshake fails'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand tls-serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand trap" -l notify -d 'Write a line for each signal, as read(1) takes it: NAME NUMBER PID UID VALUE, with - for what there is not' -r -F
complete -c spile -n "__fish_spile_using_subcommand trap" -l on -d 'What a signal does, instead of being passed on: run:\'CMD\' for /bin/sh, both:\'CMD\' (it is passed on afterwards), send:SIGNAL, forward, ignore, exit:N, stop[:GRACE], restart, report; several in their order. Keys of the terminal (INT, QUIT, TSTP) come to spile alone then, until the program reads the terminal (that is said)' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l double -d 'What a second signal does that comes soon after the first; keys come to spile alone here, too, unless the second one is to stop or exit' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l after -d 'Do something once the program has run this long; cpu:TIME counts the CPU time of it and all below it, user:TIME that outside of the kernel' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l every -d 'The same again and again' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l handler-timeout -d 'How long a handler may run before it is ended (0: for ever)' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l wait -d 'Wait for one of these, and say which came, from whom, with which value' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -s t -l timeout -d 'With --wait and --pause: give up after this long, with status 124' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l describe -d 'Say what signals are: names, numbers, or statuses such as 139' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l show -d 'Print what a process has pending, blocks, ignores and catches; without PID, what spile was started with' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l send -d 'Send a signal; 0 only asks whether it could be sent' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l to -d 'Whom --send reaches: a process, group:PGID, or tree:PID with all its descendants (spile itself, if it is one, is the last, and left out of what would stop it); several with commas' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l value -d 'What comes along with the signal, as by sigqueue(3); what is sent so is counted and not merged, if its signal is a real-time one' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l signals -d 'What a program begins with: exactly what spile was started with (inherit), or everything at its default; usually PIPE is at its default and what was ignored stays so' -r -f -a "inherit\t''
default\t''"
complete -c spile -n "__fish_spile_using_subcommand trap" -l ignore -d 'Ignored by the program, as nohup does with HUP' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l block -d 'Blocked in the program' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l default -d 'At their defaults and not blocked' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l rewrite -d 'Pass one signal on as another, or not at all: TERM:QUIT,HUP:none; keys as well: ^C is INT, ^\\ QUIT, ^Z TSTP. They come to spile alone then, until the program reads the terminal (that is said)' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l no-forward -d 'Do not pass these on: spile ignores them as well, however often they come; without a value, none at all. Keys as with --rewrite. With run and pipe, whoever insists is still heard: a second INT within 2 s ends everything, a third kills it' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l signal -d 'The signal that asks to end' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l grace -d 'Who has not ended after this long is killed; the last process counts, not the first' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l scope -d 'Whom ending reaches: the child, its process group, or the whole tree, whatever its sessions; what a daemon starts for it (systemd-run, docker, at) is nobody\'s descendant, and out of reach' -r -f -a "child\t''
group\t''
tree\t''"
complete -c spile -n "__fish_spile_using_subcommand trap" -l orphans -d 'What happens to processes that outlive the program: leave, wait, term or kill; usually they are left, but when TERM, INT, HUP or QUIT was sent to spile, they end as well: TERM, and KILL after the grace' -r -f -a "leave\t''
wait\t''
term\t''
kill\t''"
complete -c spile -n "__fish_spile_using_subcommand trap" -s C -l dir -d 'Start in this directory; a relative path of the program is still meant from here' -r -F
complete -c spile -n "__fish_spile_using_subcommand trap" -s e -l env -d 'Set a variable; NAME alone keeps ours in spite of -i' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -s u -l unset -d 'Remove a variable' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l env-file -d 'Set the variables of this file: NAME=VALUE lines, one pair of quotes around a value is taken off' -r -F
complete -c spile -n "__fish_spile_using_subcommand trap" -l argv0 -d 'What the program sees as its own name' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l user -d 'Run as this user, with its groups' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l group -d 'Run as this group' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l groups -d 'Supplementary groups' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l umask -d 'File mode creation mask, octal' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l nice -d 'Add to the nice value' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l rlimit -d 'Resource limit, as ulimit and prlimit name them: nofile=4096, as=1G, core=0, cpu=10:20 (soft:hard)' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l pass-fd -d 'Inherit these alone' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l pgroup -d 'The process group: a new one or ours; usually a new one, but ours in a terminal\'s foreground. In ours, what the terminal sends reaches the program whatever spile makes of it' -r -f -a "new\t''
same\t''"
complete -c spile -n "__fish_spile_using_subcommand trap" -l pdeath -d 'Sent to the program when spile itself is killed' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l ok -d 'Statuses that are a success, beside 0: 1,3-5,TERM; spile then exits 0' -r
complete -c spile -n "__fish_spile_using_subcommand trap" -l report -d 'Write one JSON object at the end, to a file, a descriptor, or stdout (-)' -r -F
complete -c spile -n "__fish_spile_using_subcommand trap" -l events -d 'Write events as they happen, one JSON object a line. A reader who does not keep up holds nothing up, and is told how many lines were lost' -r -F
complete -c spile -n "__fish_spile_using_subcommand trap" -l pid-file -d 'A file with the program\'s process id while it runs' -r -F
complete -c spile -n "__fish_spile_using_subcommand trap" -l init -d 'Be the first process of a container: what the program leaves behind is ended, too, with TERM and after --grace KILL, unless --orphans says otherwise; as process 1 that goes without saying'
complete -c spile -n "__fish_spile_using_subcommand trap" -l pause -d 'Wait for any signal that would end a process, and say which'
complete -c spile -n "__fish_spile_using_subcommand trap" -l list -d 'Print every signal: number, name, what it does by default, meaning'
complete -c spile -n "__fish_spile_using_subcommand trap" -l json -d 'Print one JSON object'
complete -c spile -n "__fish_spile_using_subcommand trap" -l to-group -d 'Pass every signal on to the program\'s whole process group, which is a new one then, as \'tini -g\' and dumb-init do; usually that is so with what a terminal sends (INT, QUIT, TSTP, HUP, WINCH), TERM and CONT alone. A value (sigqueue(3)) reaches the program; others in the group get the signal without it'
complete -c spile -n "__fish_spile_using_subcommand trap" -s i -l ignore-environment -d 'Begin with an empty environment'
complete -c spile -n "__fish_spile_using_subcommand trap" -l close-fds -d 'Inherit no descriptor above 2'
complete -c spile -n "__fish_spile_using_subcommand trap" -l session -d 'Start in a session of its own, without a terminal'
complete -c spile -n "__fish_spile_using_subcommand trap" -l exit-128 -d 'Exit 128 + N when the program dies of signal N; else spile dies of it, too'
complete -c spile -n "__fish_spile_using_subcommand trap" -l time -d 'Say on stderr how long it took and what it used'
complete -c spile -n "__fish_spile_using_subcommand trap" -l dry-run -d 'Say as JSON what would be run, and run nothing'
complete -c spile -n "__fish_spile_using_subcommand trap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l mode -d 'What peers are served with (echo)' -r -f -a "echo\t'What comes goes back (RFC 862)'
discard\t'What comes goes nowhere (RFC 863)'
chargen\t'Characters for ever (RFC 864)'
daytime\t'Date and time as text (RFC 867)'
time\t'Seconds since 1900 in four bytes (RFC 868)'
whoami\t'The peer\'s address, its process and user on a Unix socket, what TLS says of it'
fixed\t'The content of --fixed'
http\t'An answer to each HTTP request: method and path, or the content of --fixed'"
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l fixed -d 'Say the content of this file, read once at the start; with --mode http answer requests with it' -r -F
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l status -d 'The status of HTTP answers, with the fields that it needs: Location is /, a challenge is Basic (200)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l max-body -d 'Most bytes of the body of an HTTP request (64MiB)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l chunk -d 'Say no more than this many bytes at a time (streams)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l close-after -d 'Close each connection after so many bytes have been sent (discard: received), or after so much time: 100, 4K, 500ms. Whoever goes on reading gets all of them' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l rst-after -d 'The same with a reset (TCP); after a size, once the peer\'s system has taken all that was sent' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l json -d 'Write the counters as JSON, one object a line: to stderr, where events are JSON then, too, or into FILE' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l jitter -d 'And up to this much later still, by chance; the order is kept' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l max-total -l count -d 'Serve this many connections in all, then end; a datagram peer is one until it falls silent, for --grace at most' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-file -d 'Networks that may connect, one a line; read again on HUP' -r -F
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l ready-fd -d 'Write a newline to this descriptor once peers can connect' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l grace -d 'How long open connections may take to finish after TERM; a second TERM ends them at once' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l idle-timeout -d 'End when nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l eof-timeout -d 'End when one side has ended and nothing has moved for this long' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l deadline -d 'End after this long, whatever happens' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l reuseaddr -d 'Listen on a port in TIME_WAIT (SO_REUSEADDR; yes by default for TCP)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l v6only -d 'An IPv6 listener takes no IPv4 peers (IPV6_V6ONLY)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l backlog -d 'Peers that may wait to be accepted (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l accept-timeout -d 'How long to wait for the first peer' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l max-conns -d 'Connections served at once; more wait. Who has still to shake hands is not counted' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow -d 'Networks that may connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l deny -d 'Networks that may not connect; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l accept-proxy -d 'Peers are proxies and send a PROXY header ahead, which tells whom they connect for; allow=CIDR says which may' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l join -d 'Multicast group to receive; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l session-idle -d 'Silence that ends a datagram peer\'s session (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l max-sessions -d 'Datagram peers at once; the longest silent one makes room (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l mtu -d 'Most bytes of a stream in one datagram (8192)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l eof-on-empty -d 'An empty datagram is the end' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l crl -d 'Revocation list; one that has expired is an error; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l crl-soft -d 'Certificates that no list is about are fine' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l cert -d 'Our certificate and what leads to its authority; the key may be in it' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l key -d 'Our key, where the certificate\'s file has none' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l pass-file -d 'The passphrase of the key: the first line of a file or /dev/fd/N' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l min -d 'Oldest version of TLS (1.2)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l max -d 'Newest version of TLS (1.3)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l groups -d 'Key exchange groups, such as x25519:secp256r1; the order of the client counts' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l ciphers -d 'Cipher suites, preferred ones first, such as TLS_AES_128_GCM_SHA256' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l alpn -d 'Application protocols to offer or to take: h2,http/1.1' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l no-half-close -d 'Keep our end (close_notify) back until the peer has said its own' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l linger -d 'How long to wait at the end for the peer to have read everything (5s)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l ignore-unexpected-eof -d 'A connection that ends without close_notify has ended well' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l handshake-timeout -d 'How long a handshake or a PROXY header may take (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l keylog -d 'Write the keys of sessions to this file, for wireshark: whoever has it can read them' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l strict-perms -d 'A key that others can read is an error' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l at -d 'Judge certificates as if it were then (RFC 3339)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l self-signed -d 'Make a certificate for these names, for this run alone (localhost)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l sni-cert -d 'Another certificate, for clients that ask for NAME; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l strict-sni -d 'Refuse clients that ask for a host we have no certificate for' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l ocsp -d 'OCSP response to staple to the certificate (DER)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l client-ca -d 'Clients must show a certificate of these authorities; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l client-optional -d 'Clients may also show none' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-any -d 'Any certificate of the client authorities will do' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-dns -d 'Clients whose certificate names this host; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-uri -d 'Clients whose certificate names this URI; * is one segment of its path; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-cn -d 'Clients with this common name; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-ou -d 'Clients of this organizational unit; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l allow-pin -d 'Clients with this key; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l tickets -d 'Tickets for quicker handshakes to give to each client (2)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l max-handshakes -d 'Peers that may have a handshake or a PROXY header still to make; the one that came first makes room for more (1024)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l reload-every -d 'Look this often whether certificates, keys and lists have changed, and read them again' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l cert-out -d 'Write the certificate of --self-signed to this file, for clients to trust' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l port-file -d 'Write the port numbers to this file once peers can connect: a line for each address in their order, - where it has none. It is removed at the end' -r -F
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l rate -d 'Answer with no more than this a second, on each connection' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l delay -d 'Answer this much later (at most 4 MiB are under way)' -r
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l half-close-test -d 'Answer only once a peer has said its end, which shows that a half-close gets through; up to 1 MiB is kept of what comes back'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l amplify -d 'Let datagrams from other hosts be answered with more than they had'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -l stats -d 'Say at the end what was served (-v does, too)'
complete -c spile -n "__fish_spile_using_subcommand echo-server" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand wait" -s t -l timeout -d 'Give up after this long, all addresses together' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l expect -d 'What the server must say first: a regular expression; for datagrams, what it must answer' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l send -d 'Send this first (\\n, \\r and \\xHH are understood)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l hold -d 'The connection must stay open this long (a port behind a proxy may open and close at once)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l log -d 'Write events to stderr as text or JSON, one a line (json implies --verbose; failures are events, too)' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c spile -n "__fish_spile_using_subcommand wait" -s s -l bind -d 'Local address to connect from or listen on' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -s p -l source-port -d 'Local port to connect from' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l device -d 'Use this network interface alone (SO_BINDTODEVICE)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l nodelay -d 'Send small pieces at once (TCP_NODELAY; yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l keepalive -d 'Probe a silent peer (SO_KEEPALIVE; yes by default, on loopback no)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l keepidle -d 'Silence before the first probe (60s)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l keepintvl -d 'Time between probes (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l keepcnt -d 'Probes without answer before the peer is dead (3)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l fastopen -d 'TCP Fast Open when connecting' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l sndbuf -d 'Send buffer of the kernel (SO_SNDBUF)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l rcvbuf -d 'Receive buffer of the kernel (SO_RCVBUF; 4M for UDP that listens, as far as net.core.rmem_max lets it)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l reuseport -d 'Share the port with other servers (SO_REUSEPORT)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l ttl -d 'Hops that packets live (IP_TTL, IPV6_UNICAST_HOPS)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l tos -d 'Type of service (IP_TOS, IPV6_TCLASS)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l mark -d 'Firewall mark (SO_MARK)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l sockopt -d 'Any socket option by number; may repeat' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -s w -l connect-timeout -d 'How long one try to connect may take, a TLS handshake included (10s)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l retry -d 'Try again so many times, or \'forever\'' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l forever -d 'Try again for ever' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l retry-delay -d 'First pause between tries (100ms; it grows to 2s)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l retry-for -d 'Try again until this much time has passed' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l proxy -d 'Connect through a proxy: http://, socks5h://, socks5:// or socks4a://, then [USER@]HOST:PORT' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l proxy-auth-file -d 'Who we are to the proxy: the first line of FILE is USER:PASSWORD' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l proxy-protocol -d 'Send a PROXY header ahead, which tells whom the connection is for: v1, v2, v2-tls, v2-tls-cert' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l broadcast -d 'Allow broadcast addresses (SO_BROADCAST)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l multicast-ttl -d 'Hops that multicast lives' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l multicast-loop -d 'Hear our own multicast' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l multicast-if -d 'Interface that multicast leaves by' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l mtu -d 'Most bytes of a stream in one datagram (8192)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l eof-on-empty -d 'An empty datagram is the end' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l mode -d 'Permissions of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l user -d 'Owner of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l group -d 'Group of the path that is made' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l unlink -d 'Remove the path at the end (yes by default)' -r
complete -c spile -n "__fish_spile_using_subcommand wait" -l explain -d 'Print how the addresses are read as JSON, and open nothing'
complete -c spile -n "__fish_spile_using_subcommand wait" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand wait" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand wait" -s u -l udp -d 'UDP instead of TCP; datagrams on a Unix socket'
complete -c spile -n "__fish_spile_using_subcommand wait" -s n -l numeric -d 'Never ask a name server: hosts are numeric'
complete -c spile -n "__fish_spile_using_subcommand wait" -s v -l verbose -d 'Say more on stderr: connections as they come and go'
complete -c spile -n "__fish_spile_using_subcommand wait" -l quiet -d 'Say nothing on stderr but failures'
complete -c spile -n "__fish_spile_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c spile -n "__fish_spile_using_subcommand resolve" -s s -l service -d 'The port of a service, or the service of a port: https, 443/udp' -r
complete -c spile -n "__fish_spile_using_subcommand resolve" -s p -l protocol -d 'The number of a protocol, or the protocol of a number' -r
complete -c spile -n "__fish_spile_using_subcommand resolve" -s 4 -d 'IPv4 alone'
complete -c spile -n "__fish_spile_using_subcommand resolve" -s 6 -d 'IPv6 alone'
complete -c spile -n "__fish_spile_using_subcommand resolve" -s c -l canonical -d 'Also say the canonical name'
complete -c spile -n "__fish_spile_using_subcommand resolve" -s i -l interfaces -d 'This host\'s interfaces with their addresses'
complete -c spile -n "__fish_spile_using_subcommand resolve" -l hostname -d 'This host\'s name'
complete -c spile -n "__fish_spile_using_subcommand resolve" -l json -d 'One JSON object'
complete -c spile -n "__fish_spile_using_subcommand resolve" -s h -l help -d 'Print help (see more with \'--help\')'
