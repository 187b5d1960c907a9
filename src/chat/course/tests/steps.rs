use super::*;

#[track_caller]
fn outcomes(cases: &[(&str, &str, Option<Ending>, Outcome)]) {
    for (steps, heard, ending, outcome) in cases {
        let played = say(steps, heard, ending.clone());
        assert_eq!(played.verdict.outcome, *outcome, "{steps} hears {heard:?}, then {ending:?}");
    }
}

#[test]
fn an_smtp_greeting_is_a_transcript() {
    let text = "< 220\n> EHLO ${known}\n~ ^250 (?<last>.*)\n> QUIT\n< 221\n<$";
    let mut settings = settings();
    settings.variables.insert("known".to_owned(), b"me".to_vec());
    let reads: &[&[u8]] = &[b"220 hi\r", b"\n250-SIZE\r\n250 HEL", b"P\r\n", b"221 bye\r\n"];
    let played = play_with(script(text), settings, reads, SAID);
    assert_eq!(played.verdict, Verdict { outcome: PASS, trouble: None, unread: Vec::new() });
    assert_eq!(played.said, b"EHLO me\r\nQUIT\r\n");
    assert_eq!(played.variables["last"], b"HELP");
}

#[test]
fn a_text_is_compared_with_the_next_unit() {
    outcomes(&[
        ("< ab", "abc\n", None, PASS),
        ("< ab", "ab", SAID, PASS),
        ("< ab", "a", SAID, Outcome::Early),
        ("< ab", "", SAID, Outcome::Early),
        ("< ab", "a\n", SAID, Outcome::Mismatch),
        ("< ab", "ax", None, Outcome::Mismatch),
        ("< ab", "\nab\n", None, Outcome::Mismatch),
        ("< ab", "abc", None, Outcome::Timeout),
        ("< ab", "abc", cut(), Outcome::Cut),
        ("= ab", "ab\r\n", None, PASS),
        ("= ab", "ab\r", None, Outcome::Timeout),
        ("= ab", "ab\rx", None, Outcome::Mismatch),
        ("= ab", "abc", None, Outcome::Mismatch),
        ("= ab", "a\n", None, Outcome::Mismatch),
        ("= ab", "ab", SAID, PASS),
        ("= ", "\n", None, PASS),
        ("= ab\\r", "ab\r\r\n", None, PASS),
    ]);
}

#[test]
fn raw_bytes_do_not_care_for_units() {
    outcomes(&[
        ("<< ab / << c", "abc", None, PASS),
        ("<< a\\nb", "a\nb", None, PASS),
        ("<< ab", "ac", None, Outcome::Mismatch),
        ("<< ab", "a", SAID, Outcome::Early),
        ("<< ab / = c", "abc\n", None, PASS),
        ("~~ login: $ / << x", "last login: x", None, PASS),
        ("~~ a+ / << ab", "xaab", None, PASS),
        ("~~ no", "yes", SAID, Outcome::Early),
        ("~~ no", "yes", None, Outcome::Timeout),
        ("~~ no", "yes", cut(), Outcome::Cut),
    ]);
}

#[test]
fn patterns_skip_units_or_judge_the_next() {
    outcomes(&[
        ("~ ^b$ / < c", "a\r\nb\r\nc\r\n", None, PASS),
        ("~ ^b$", "a\nb", SAID, PASS),
        ("~ ^b$", "a\nc", SAID, Outcome::Early),
        ("~ ^b$", "a\nb", cut(), Outcome::Cut),
        ("~ ^b$", "a\nb", None, Outcome::Timeout),
        ("~1 ^b$", "a\nb\n", None, Outcome::Mismatch),
        ("~1 ^a$ / ~1 ^b$", "a\nb\n", None, PASS),
        ("~1 ^a", "", SAID, Outcome::Early),
        ("~1 \\xff", "ÿ\n", None, PASS),
    ]);
    let bytes: &[&[u8]] = &[b"\xc3", b"\xff\xfe\n"];
    assert_eq!(play("~1 (?-u:\\xff)", bytes, None).verdict.outcome, PASS);
}

#[test]
fn lengths_and_the_end_are_heard() {
    let played = say("<# 3 three / <$ rest", "abcdef\n\n", SAID);
    assert_eq!(
        (&played.variables["three"], &played.variables["rest"]),
        (&b"abc".to_vec(), &b"def\n\n".to_vec())
    );
    outcomes(&[
        ("<# 2", "ab", None, PASS),
        ("<# 3", "ab", SAID, Outcome::Early),
        ("<# 3", "ab", cut(), Outcome::Cut),
        ("<$", "ab", cut(), Outcome::Cut),
        ("<$", "ab", None, Outcome::Timeout),
    ]);
}

#[test]
fn a_length_may_be_what_the_peer_has_said() {
    let length = |heard: &str| say("~1 ^(?<n>.*)$ / <# ${n} body / = end", heard, SAID);
    let played = length("3\na\ncend\n");
    assert_eq!((played.verdict.outcome, &played.variables["body"]), (PASS, &b"a\nc".to_vec()));
    assert_eq!(length("0\nend\n").variables["body"], b"");
    assert_eq!(length("5\nabc").verdict.outcome, Outcome::Early);
    assert_eq!(length(&format!("{}\nabc", u64::MAX)).verdict.outcome, Outcome::Early);
    for (bad, shown) in
        [("x\u{1b}", "x\\e"), ("-1", "-1"), ("+1", "+1"), ("", ""), (&"9".repeat(23), &"9".repeat(23))]
    {
        let played = length(&format!("{bad}\nabc"));
        assert_eq!(played.verdict.outcome, Outcome::Failed, "{bad}");
        let why = format!("${{n}} is \"{shown}\", which is no number of bytes");
        assert_eq!(played.trouble().why.as_deref(), Some(&*why));
    }
}

#[test]
fn a_default_stands_where_nothing_else_gave_a_value() {
    let steps = script(".default known a ${base64:known}\n.default other b ${base64:known}\n.set known c");
    let mut given = settings();
    given.variables.insert("known".to_owned(), b"x".to_vec());
    let variables = play_with(steps, given, &[], None).variables;
    assert_eq!((&*variables["known"], &*variables["other"]), (&b"c"[..], &b"b eA=="[..]));
    let variables = say(".default new a / .default new b", "", None).variables;
    assert_eq!(variables["new"], b"a");
}

#[test]
fn what_is_not_kept_may_be_longer_than_what_is() {
    let mut small = settings();
    small.most_kept = 16;
    let text = "x".repeat(40) + "\nend\n";
    for (steps, outcome) in [
        ("<# 40\n= \n= end", PASS),
        ("<# 40 all", Outcome::Overflow),
        ("<$", PASS),
        ("<$ all", Outcome::Overflow),
        ("~~ end", PASS),
        ("~~ x+\\n", Outcome::Overflow),
        ("~ end", Outcome::Overflow),
        ("< x", Outcome::Overflow),
        ("< y", Outcome::Mismatch),
        (".term 8\n~ end", PASS),
        (".term none\n~ end", Outcome::Overflow),
    ] {
        let reads: Vec<&[u8]> = text.as_bytes().chunks(7).collect();
        let played = play_with(script(steps), small.clone(), &reads, SAID);
        assert_eq!(played.verdict.outcome, outcome, "{steps}");
    }
}

#[test]
fn what_is_forbidden_wins_where_it_is_read() {
    outcomes(&[
        ("! ^5 / ~ ^250", "100\n550 no\n250 ok\n", None, Outcome::Forbidden),
        ("! ^5 / ! / ~ ^250", "100\n550 no\n250 ok\n", None, PASS),
        ("! ^5 / ~ ^250", "250 ok\n550 no\n", None, PASS),
        ("! 0 / ~1 0", "0\n", None, Outcome::Forbidden),
        ("! b / = abc", "abc\n", None, Outcome::Forbidden),
        ("! b / <# 3", "abc", None, Outcome::Forbidden),
        ("! c / <# 2", "abc", None, PASS),
        ("! b / <$", "abc", None, Outcome::Forbidden),
        ("! b / << ax", "ab", None, Outcome::Forbidden),
        ("! b / ~~ c", "abc", None, Outcome::Forbidden),
        ("! c / ~~ c", "abc", None, Outcome::Forbidden),
        ("! d / ~~ c", "abcd", None, PASS),
        (":a / ! x / ? y -> a / ?$ -> b / :b", "y\ny\n", SAID, PASS),
    ]);
}

#[test]
fn a_forbidden_line_is_found_by_whatever_step_reads_it() {
    let heard = "200 ok\r\n550 no\r\n$ ";
    for step in [
        "~~ \\$ $",
        "<$",
        "<# 18",
        "<# 12",
        "?? \\$ -> E / :E",
        "? x -> E / ?? \\$ -> E / :E",
        "<< 200 ok\\r\\n550 no",
    ] {
        outcomes(&[(&format!("! ^5.. / {step}"), heard, SAID, Outcome::Forbidden)]);
        outcomes(&[(&format!("! ^00 / {step}"), heard, SAID, PASS)]);
    }
    outcomes(&[
        ("! ^5 / .term none / < 200", heard, SAID, Outcome::Forbidden),
        ("! (?-m)^5.. / <$", heard, SAID, PASS),
        (".set a 5 / ! ${a}\\d / <$", heard, SAID, Outcome::Forbidden),
        (".set a 5 / ! ^${a} / ~~ \\$", heard, SAID, Outcome::Forbidden),
        // What follows a prompt is a line of its own, as we have spoken between.
        ("~~ \\$ / ! ^err / > x / ~~ \\$", "$err: x\n$", None, Outcome::Forbidden),
    ]);
}

#[test]
fn the_first_thing_heard_decides() {
    let branches = "? ^error -> bad / ?? login: -> in / ?? x$ -> x / ?$ -> end / ?timeout -> late\n\
                    :bad / .exit 11\n:in / << \\sn / .exit 12\n:x / .exit 13\n:end / .exit 14\n:late / .exit 15";
    let status = |status| Outcome::Pass(Status::Number(status));
    outcomes(&[
        (branches, "hello\nerror\nlogin: n", None, status(11)),
        (branches, "hello\nlogin: n\nerror\n", None, status(12)),
        (branches, "error login: n\n", None, status(12)),
        (branches, "erx", None, status(13)),
        (branches, "hello\nerror", SAID, status(11)),
        (branches, "hello\n", SAID, status(14)),
        (branches, "hello", cut(), Outcome::Cut),
        (branches, "hello", None, status(15)),
        ("? a -> x / ? . -> y\n:x / .exit 1\n:y / .exit 2", "a\n", None, status(1)),
        ("? ab -> x / ?? b\\n -> y\n:x / .exit 1\n:y / .exit 2", "ab\n", None, status(1)),
        ("?? b\\n -> y / ? ab -> x\n:x / .exit 1\n:y / .exit 2", "ab\n", None, status(2)),
    ]);
}

#[test]
fn units_end_as_the_script_says() {
    outcomes(&[
        (".term \\r\\n.\\r\\n / = a\\r\\nb / = c", "a\r\nb\r\n.\r\nc\r\n.\r\n", None, PASS),
        (".term END / = xEN / = y", "xENENDyEND", None, PASS),
        (".term END / = xx", "xxEN", None, Outcome::Timeout),
        (".term END / = xx", "xxEX", None, Outcome::Mismatch),
        (".term 3 / = abc / = def / = g", "abcdefg", SAID, PASS),
        (".term none / = a\\nb", "a\nb", SAID, PASS),
        (".term none / = a", "", SAID, Outcome::Early),
        (".term X / < a / .term line / = b", "aXb\n", None, PASS),
    ]);
}

#[test]
fn loops_and_jumps_go_where_they_should() {
    assert_eq!(
        say(".loop 3 / > x / .loop 2 / >> y / .end / .end / > z", "", None).said,
        b"x\r\nyyx\r\nyyx\r\nyyz\r\n"
    );
    let played =
        say(".loop / ? q -> out / ? . -> more / :more / > again / .end / :out / > bye", "a\nb\nq\n", None);
    assert_eq!(played.said, b"again\r\nagain\r\nbye\r\n");
}

#[test]
fn a_script_that_goes_round_in_circles_is_ended() {
    for steps in [":a\n.goto a", ".loop\n.end", ":a\n.set x y\n.sleep 0\n.goto a", ":a\n>> ${known}\n.goto a"]
    {
        let mut settings = settings();
        settings.variables.insert("known".to_owned(), Vec::new());
        let played = play_with(script(steps), settings, &[b"hello"], None);
        assert_eq!(played.verdict.outcome, Outcome::Failed, "{steps}");
        assert!(played.trouble().why.as_ref().unwrap().contains("round"));
    }
}

#[test]
fn a_loop_for_ever_is_ended_by_the_limit_of_all() {
    let now = Instant::now();
    let mut course = Course::new(script(".loop\n> ping\n.end"), settings(), now);
    for _ in 0..200_000 {
        let need = course.next(now);
        assert!(matches!(need, Need::Say(..) | Need::Pause(_)), "{need:?}");
        drop(course.take_news());
    }
    course.out_of_time("the conversation took longer than 5s");
    let Need::Over(verdict) = course.next(now) else { panic!("it is over") };
    assert_eq!(verdict.outcome, Outcome::Timeout);
    assert_eq!(verdict.trouble.unwrap().place.line, 2);
}

#[test]
fn our_side_closes_as_the_script_says() {
    let played = say("> a / .half-close / < b", "b\n", None);
    assert_eq!((played.did, played.verdict.outcome), (vec![Need::HalfClose], PASS));
    assert_eq!(say(".reset", "", None).did, [Need::Reset]);
    assert_eq!(say("> a / .close", "", None).did, [Need::Close]);
    for steps in [":a\n> x\n.half-close\n? a -> a", ":a\n? a -> b\n:b\n.close\n.goto a"] {
        assert_eq!(play(steps, &[b"a\n"], None).verdict.outcome, Outcome::Failed, "{steps}");
    }
}

#[test]
fn plaintext_that_was_injected_before_tls_is_noticed() {
    let steps = "< 220 / > STARTTLS / < 220 / .starttls / < 250";
    let played = say(steps, "220 hi\r\n220 go\r\n", None);
    assert_eq!(played.did, [Need::StartTls]);
    let played = say(steps, "220 hi\r\n220 go\r\n250 injected\r\n", None);
    assert_eq!((played.did, &played.verdict.outcome), (Vec::new(), &Outcome::Failed));
    assert!(played.verdict.trouble.unwrap().why.unwrap().contains("CVE-2011-0411"));
}

#[test]
fn nothing_may_be_left_where_the_script_says_so() {
    outcomes(&[
        ("< a / .rest-empty / > x", "a\n", None, PASS),
        ("< a / .rest-empty / > x", "a\n", SAID, PASS),
        ("< a / .rest-empty / > x", "a\nb", None, Outcome::Unread),
        ("< a / .drop-input / .rest-empty", "a\nb", None, PASS),
        ("< a", "a\nb", None, PASS),
    ]);
    let mut strict = settings();
    strict.is_strict = true;
    let played = play_with(script("< a"), strict.clone(), &[b"a\n", b"late"], None);
    assert_eq!((&played.verdict.outcome, &played.verdict.unread), (&Outcome::Unread, &b"late".to_vec()));
    assert_eq!(played.trouble().step, "the end of the script");
    assert_eq!(
        play_with(script("< a\n.exit 7"), strict, &[b"a\n"], SAID).verdict.outcome,
        Outcome::Pass(Status::Number(7))
    );
}

#[test]
fn limits_are_those_of_each_step() {
    let now = Instant::now();
    let mut course = Course::new(script(".timeout 2s\n< a\n.sleep 5s\n.timeout 1s\n< b"), settings(), now);
    let at = |seconds| now + Duration::from_secs(seconds);
    assert_eq!(course.next(now), Need::Hear(at(2)));
    course.hear(b"a\n");
    assert_eq!(course.next(at(2)), Need::Pause(at(7)), "what was heard in time counts");
    assert_eq!(course.next(at(6)), Need::Pause(at(7)));
    assert_eq!(course.next(at(7)), Need::Hear(at(8)));
    let Need::Over(verdict) = course.next(at(8)) else { panic!("it is over") };
    assert_eq!(
        (verdict.outcome, verdict.trouble.unwrap().waited),
        (Outcome::Timeout, Duration::from_secs(1))
    );
    let news: Vec<_> = course.take_news().map(|news| (news.step, news.got, news.is_good)).collect();
    let quiet = Vec::new;
    assert_eq!(
        news,
        [
            (0, quiet(), true),
            (1, b"a".to_vec(), true),
            (2, quiet(), true),
            (3, quiet(), true),
            (4, quiet(), false)
        ]
    );
}

#[test]
fn what_was_set_stands_for_its_text_in_a_pattern() {
    let played =
        say("~ (?<tag>\\S+) ok / .set copy [${tag}] / ~1 ^${tag}$ / > ${copy}", "a.b ok\na.b\n", None);
    assert_eq!((played.verdict.outcome, played.said), (PASS, b"[a.b]\r\n".to_vec()));
    assert_eq!(
        say("~ (?<tag>\\S+) ok / ~1 ^${tag}$", "a.b ok\naxb\n", None).verdict.outcome,
        Outcome::Mismatch
    );
}

#[test]
fn a_variable_does_not_grow_for_ever() {
    let played =
        say(".set x 0123456789 / .loop / .set x ${x}${x} / < next / .end", &"next\n".repeat(60), None);
    let trouble = played.trouble();
    assert_eq!((&played.verdict.outcome, &*trouble.step), (&Outcome::Failed, ".set x ${x}${x}"));
    assert!(trouble.why.as_ref().unwrap().contains("are the most"), "{trouble:?}");
    assert!(played.variables["x"].len() <= 32 << 20);
}
