//! The language in one table, for help and the man page.

/// What each line of a script means.
pub const LANGUAGE: &str = r"One step a line; blank lines and lines that begin with # are skipped. A unit
is what ends at the terminator: by default a line, LF with or without CR before
it.

SAYING
  > TEXT              TEXT and the end of line; > alone is an empty line
  >> TEXT             TEXT alone; >> alone is an empty message (datagrams)
  >@ FILE             what FILE holds, or what comes out of a pipe
HEARING
  < TEXT              the next unit starts with TEXT
  = TEXT              the next unit is TEXT; = alone is an empty one
  << TEXT             exactly these bytes come next, units or not; << alone is
                      an empty message
  ~ REGEX             units are skipped until one fits
  ~1 REGEX            the next unit fits
  ~~ REGEX            bytes are skipped until it fits: finds prompts, too
  <# N [NAME]         exactly N bytes, which NAME keeps; N may be a ${LENGTH}
                      that was heard
  <$ [NAME]           everything to the peer's end
  ! REGEX             from here on a failure when read, by any step: ^ is the
                      start of each line, and where a step begins; ! alone
                      forgets all
CHOOSING              in a row: the first thing heard that fits one decides
  ? REGEX -> LABEL    a unit fits; other units are skipped
  ?? REGEX -> LABEL   bytes fit, as with ~~
  ?$ -> LABEL         the peer has ended
  ?timeout -> LABEL   nothing of that within the limit of a step
  :LABEL              marks a place
  .goto LABEL         goes on there
  .loop [N] ... .end  does that N times; without N for ever
SETTINGS              of the steps that follow
  .term STR|N|line|none  a unit ends at STR, has N bytes, is a line, or is all
                      to the peer's end
  .eol STR|none       what > adds
  .timeout TIME       the limit of each step that hears, and of .starttls (10s);
                      of one that says something, how long the peer may take
                      nothing, and the file of >@ give nothing: all of it may
                      take longer, and pauses (.pace, .sleep) do not count
  .pace SIZE/TIME|none  says SIZE bytes, pauses for TIME, and so on
  .set NAME TEXT      gives a variable a value
  .default NAME TEXT  the same where it has none, as by --set
DOING
  .sleep TIME         waits
  .starttls           begins TLS
  .half-close         says our end, and goes on hearing
  .close              says our end, and hears nothing more
  .reset              resets the connection
  .drop-input         forgets what was heard and not yet read
  .rest-empty         a failure when something is unread here or at the end
  .hide, .show        what is said and heard between them is shown nowhere:
                      passwords
  .exit [CODE]        ends here with CODE, or else with the status of the child

TEXT is everything after the operator and one space. In it \r \n \t \0 \e \s (a
space) \xNN \\ \$ are escapes, ${NAME} is a variable and ${env:NAME} one of the
environment; ${base64:NAME} is a value in base64. A REGEX has no escapes but its
own (crate regex, over bytes); a variable in it stands for its text, and a group
(?<NAME>...) sets one.

What is said to a program that has ended or closed its input is taken by nobody,
as far as the write tells. That is fine where something is heard after it:
whoever has answered need not listen. Otherwise it is a failure in the end, with
status 18 and the line that said it. -v tells of it either way.

Between .hide and .show nothing that is said or set, or that arrives, is in a
transcript, a report or a message, and of the steps the operators alone; so it
is with later steps that read what arrived there or use what was set there. What
a peer says is told when it arrives: .hide stands before the step that makes it
speak, and .show after the one that hears its answer.
";

#[cfg(test)]
mod tests {
    use super::super::{directive, operator};
    use super::LANGUAGE;

    #[test]
    fn every_step_is_in_the_table_and_no_line_is_too_wide() {
        let words: Vec<&str> = LANGUAGE.split([' ', '\n']).collect();
        for name in directive::NAMES.iter().chain(&operator::SIGNS) {
            assert!(words.contains(name), "{name}");
        }
        for line in LANGUAGE.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
