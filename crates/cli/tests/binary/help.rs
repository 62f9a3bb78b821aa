//! What the command line says of itself, and how it answers what it does not understand.

use insta::assert_snapshot;

use crate::transcript::transcript;

fn told(line: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    transcript(folder.path(), line)
}

#[test]
fn a_command_that_is_not_understood_is_answered_with_what_was_meant() {
    assert_snapshot!(told("bakcup copy.db"), @r"
    $ tollgate bakcup copy.db
    [2]
    ! error: unrecognized subcommand 'bakcup'
    !
    !   tip: a similar subcommand exists: 'backup'
    !
    ! Usage: tollgate <COMMAND>
    !
    ! For more information, try '--help'.
    ");
    assert_snapshot!(told("backup"), @r"
    $ tollgate backup
    [2]
    ! error: the following required arguments were not provided:
    !   <DEST>
    !
    ! Usage: tollgate backup <DEST>
    !
    ! For more information, try '--help'.
    ");
    assert_snapshot!(told("backup copy.db --froce"), @r"
    $ tollgate backup copy.db --froce
    [2]
    ! error: unexpected argument '--froce' found
    !
    !   tip: a similar argument exists: '--force'
    !
    ! Usage: tollgate backup --force <DEST>
    !
    ! For more information, try '--help'.
    ");
    assert_snapshot!(told("completions tcsh"), @r"
    $ tollgate completions tcsh
    [2]
    ! error: invalid value 'tcsh' for '<SHELL>'
    !   [possible values: bash, elvish, fish, powershell, zsh]
    !
    !   tip: a similar value exists: 'zsh'
    !
    ! For more information, try '--help'.
    ");
    assert_snapshot!(told("holds settle gen-1"), @r"
    $ tollgate holds settle gen-1
    [2]
    ! error: the following required arguments were not provided:
    !   --cost <DOLLARS>
    !
    ! Usage: tollgate holds settle --cost <DOLLARS> <GENERATION>
    !
    ! For more information, try '--help'.
    ");
    assert_snapshot!(told("--version"), @r"
    $ tollgate --version
    [0]
    tollgate 0.1.0
    ");
    let nothing = told("");
    assert!(nothing.starts_with("$ tollgate \n[2]\n! A self-hosted LLM gateway"), "{nothing}");
}

#[test]
fn help_is_given_in_short_and_at_length() {
    assert_snapshot!(told("endpoints clear -h"), @r"
    $ tollgate endpoints clear -h
    [0]
    Forget what was learned about an endpoint, so that it serves limited keys again

    Usage: tollgate endpoints clear [OPTIONS] <MODEL> <PROVIDER> <UPSTREAM_MODEL>

    Arguments:
      <MODEL>           The model's id
      <PROVIDER>        The provider's slug
      <UPSTREAM_MODEL>  The provider's name for the model

    Options:
          --config <FILE>  The configuration file [env: TOLLGATE_CONFIG] [default: tollgate.toml]
      -h, --help           Print help (see more with '--help')
    ");
    assert_snapshot!(told("endpoints clear --help"), @r"
    $ tollgate endpoints clear --help
    [0]
    Forget what was learned about an endpoint, so that it serves limited keys again.

    Look for the cause first: with a wrong price, or `prompt_overhead_tokens` too low, the next answer
    teaches the same again.

    Usage: tollgate endpoints clear [OPTIONS] <MODEL> <PROVIDER> <UPSTREAM_MODEL>

    Arguments:
      <MODEL>
              The model's id

      <PROVIDER>
              The provider's slug

      <UPSTREAM_MODEL>
              The provider's name for the model

    Options:
          --config <FILE>
              The configuration file

              [env: TOLLGATE_CONFIG]
              [default: tollgate.toml]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      tollgate endpoints clear openai/gpt-4o-mini openai gpt-4o-mini
              Its prices were put right: it serves limited keys again

    Exit codes:
      0  done
      1  refused or failed; stderr says why
      2  misused: no such command, option or value
    ");
    assert_eq!(
        told("help endpoints clear").lines().skip(1).collect::<Vec<_>>(),
        told("endpoints clear --help").lines().skip(1).collect::<Vec<_>>()
    );
}

#[test]
fn shells_are_told_how_to_complete() {
    for (shell, mark) in [
        ("bash", "complete -F _tollgate"),
        ("zsh", "#compdef tollgate"),
        ("fish", "complete -c tollgate"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let script = told(&format!("completions {shell}"));
        assert!(script.contains("[0]\n") && script.contains(mark), "{shell}: {script}");
        assert!(script.contains("all-interrupted"), "{shell} is not told every option");
    }
}
