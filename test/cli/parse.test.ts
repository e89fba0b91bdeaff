import { describe, expect, test } from "vitest";
import * as options from "../../src/cli/options.ts";
import { parse, type Parsed } from "../../src/cli/parse.ts";

type Line = Extract<Parsed, { command: unknown }>;

const look = { color: false };

function line(text: string): Line {
  const parsed = parse(text.split(" ").filter(Boolean), look);
  if ("text" in parsed) throw new Error(`only help: ${text}`);
  return parsed;
}

describe("arguments", () => {
  test.each([
    ["copy a b", ["a", ["b"]]],
    ["copy a b c d", ["a", ["b", "c", "d"]]],
    ["cp --jobs 2 a -q b", ["a", ["b"]]],
    ["pull a", ["a", undefined]],
    ["pull a b", ["a", "b"]],
    ["blob put a -", ["a", "-"]],
    ["__complete -- copy --dry", [["copy", "--dry"]]],
  ])("of %s", (text, args) => {
    expect(line(text).args).toEqual(args);
  });
});

describe("options", () => {
  test.each([
    ["copy a b", options.dryRun, false],
    ["copy --dry-run a b", options.dryRun, true],
    ["copy a b", options.noClobber, false],
    ["copy -n a b", options.noClobber, true],
    ["copy --no-clobber a b", options.noClobber, true],
    ["copy a b", options.referrers, true],
    ["copy --no-referrers a b", options.referrers, false],
    ["copy a b", options.jobs, undefined],
    ["copy -j 3 a b", options.jobs, 3],
    ["copy --concurrency=7 a b", options.jobs, 7],
    ["copy --limit-rate 20MB a b", options.limitRate, 20_000_000],
    ["copy --limit-rate 1.5GiB a b", options.limitRate, 1_610_612_736],
    ["copy --limit-rate 800k a b", options.limitRate, 800_000],
    ["copy a b", options.platforms, []],
    ["copy --all a b", options.platforms, ["all"]],
    ["copy --platform all a b", options.platforms, ["all"]],
    ["copy --tls-verify=false a b", options.tlsVerify, false],
    ["copy --tls-verify true a b", options.tlsVerify, true],
    ["copy -k a b", options.tlsVerify, false],
    ["copy --insecure a b", options.tlsVerify, false],
    ["copy --from-insecure a b", options.srcTlsVerify, false],
    ["copy a b --ca-file x --ca-file y", options.caFile, ["x", "y"]],
    ["digest a --retries 0", options.retries, 0],
    ["copy --authfile x --registry-config y a b", options.authfile, "y"],
    ["serve --listen :5000", options.listen, { host: "0.0.0.0", port: 5000 }],
    ["serve --listen 5000", options.listen, { host: "127.0.0.1", port: 5000 }],
    ["serve --listen [::1]:0", options.listen, { host: "::1", port: 0 }],
    [
      "artifact attach --annotation a=b --annotation c=d=e x y",
      options.annotations,
      [
        ["a", "b"],
        ["c", "d=e"],
      ],
    ],
    ["pull --as tarball a", options.as, "docker-archive"],
    ["digest a", options.jobs, undefined], // Not among its options.
  ])("of %s", (text, option, value) => {
    expect(line(text).get<unknown>(option)).toEqual(value);
  });

  test.each([
    ["copy a b", options.referrers, undefined],
    ["copy --no-referrers a b", options.referrers, false],
    ["copy -j 3 --concurrency 4 a b", options.jobs, ["3", "4"]],
    ["copy -k a b", options.tlsVerify, ["false"]],
    ["copy -n a b", options.noClobber, false],
    ["copy --dry-run a b", options.dryRun, true],
    ["digest a", options.jobs, undefined],
  ])("typed in %s", (text, option, typed) => {
    expect(line(text).given(option)).toEqual(typed);
  });

  test("platforms are repeated or joined with commas", () => {
    const given = line("copy --platform linux/amd64,arm64 --platform linux/arm/v7 a b").get(options.platforms);
    expect(given).toEqual([
      { os: "linux", architecture: "amd64" },
      { os: "linux", architecture: "arm64" },
      { os: "linux", architecture: "arm", variant: "v7" },
    ]);
  });
});

describe("mistakes", () => {
  test.each([
    ["copy a", "missing required argument 'destination'", undefined],
    ["-- copy a", "missing required argument 'destination'", undefined],
    ["tags -- check", "missing required argument 'repository'", undefined],
    ["digest a b", "too many arguments for 'digest'. Expected 1 argument but got 2: a, b.", undefined],
    ["cpoy a b", "unknown command 'cpoy'", "did you mean copy?"],
    ["help nope", "unknown command 'nope'", "did you mean copy?"],
    ["help cpoy", "unknown command 'cpoy'", "did you mean copy?"],
    ["help tags plna", "unknown command 'plna'", "did you mean plan?"],
    ["blob gte a", "unknown command 'gte'", "did you mean get?"],
    ["delete --dry-rnu a", "unknown option '--dry-rnu'", "did you mean --dry-run?"],
    ["copy --nothing=secret a b", "unknown option '--nothing'", undefined],
    ["copy --jobs", "option '-j, --jobs <count>' argument missing", undefined],
    ["copy --jobs 0 a b", '--jobs: "0" is not a whole number from 1 on', undefined],
    ["copy --limit-rate 0 a b", '--limit-rate: "0" is not a number of bytes', "write 800kB, 20MB or 1GiB"],
    ["copy --tls-verify=maybe a b", '--tls-verify: "maybe" is neither true nor false', undefined],
    ["copy --platform a/b/c/d a b", '--platform: invalid platform "a/b/c/d"', /write os\/architecture/],
    ["copy --platform= a b", '--platform: "" names none', undefined],
    ["copy --platform , a b", '--platform: "," names none', undefined],
    ["copy --platform linux/ a b", '--platform: invalid platform "linux/"', /write os\/architecture/],
    ["digest --format xml a", '--format: unknown format "xml"', /table, json, ndjson, yaml/],
    ["pull --format oci a", '--format: unknown format "oci"', "the format of files is chosen with --as oci"],
    ["digest --format {{.a a", /--format: invalid template/, undefined],
    ["copy --progress loud a b", '--progress: "loud" is no kind of progress', /auto, plain/],
    ["serve --listen x:y", '--listen: "x:y" is not HOST:PORT', /127\.0\.0\.1:5000/],
    ["artifact attach --annotation a x y", '--annotation: "a" is not NAME=VALUE', undefined],
  ])("in %s", (text, message, hint) => {
    const error: unknown = catching(() => line(text));
    expect(error).toMatchObject({ code: "INVALID" });
    expect((error as Error).message).toEqual(typeof message === "string" ? message : expect.stringMatching(message));
    expect((error as { hint?: string }).hint).toEqual(hint instanceof RegExp ? expect.stringMatching(hint) : hint);
  });

  test.each([
    [["tags", "plan", "--git-tag", ""], "--git-tag"],
    [["tags", "plan", "--branch=", "--default-branch", "main"], "--branch"],
    [["tags", "plan", "--for", "registry.example/app", "--for", ""], "--for"],
    [["copy", "--insecure", "--authfile", "", "a", "b"], "--authfile"],
  ])("an option that is given nothing is refused: %j", (words, option) => {
    expect(catching(() => parse(words, look))).toMatchObject({
      code: "INVALID",
      message: `${option}: "" says nothing`,
    });
  });

  test("a password that cannot be read is not repeated", () => {
    expect(String(catching(() => line("copy --src-creds topsecret a b")))).not.toContain("topsecret");
  });
});

describe("what is not UTF-8 came in with \u{FFFD} in the place of its bytes", () => {
  test.each([
    [["pull", "app:1", "a\u{FFFD}.tar"], 'the word "a\u{FFFD}.tar" is not UTF-8'],
    [["copy", "app:1", "oci:\u{FFFD}"], 'the word "oci:\u{FFFD}" is not UTF-8'],
    [["sync", "a.yaml", "--out=\u{FFFD}"], 'the word "--out=\u{FFFD}" is not UTF-8'],
    [["login", "a.example", "--password", "pass\u{FFFD}"], 'the word "PASSWORD" is not UTF-8'],
  ])("%j", (words, message) => {
    expect(() => parse(words, look)).toThrow(
      expect.objectContaining({ code: "INVALID", message, hint: expect.stringContaining("rename the file") }),
    );
  });

  test("a completion of it is none, without a complaint", () => {
    expect(line("__complete -- copy \u{FFFD}").args).toEqual([["copy", "\u{FFFD}"]]);
  });
});

describe("help", () => {
  test.each([["--help"], ["-h"], ["help"]])("of %s lists every group", (text) => {
    const parsed = parse([text], look);
    expect(parsed).toMatchObject({ mistake: false, text: expect.stringContaining("Run a registry:") });
  });

  test.each([["copy --help"], ["help copy"], ["help -v cp"], ["cp -h"]])(
    "of %s shows options, examples and exit codes",
    (text) => {
      const parsed = parse(text.split(" "), look);
      expect(parsed).toMatchObject({ mistake: false });
      for (const part of ["--no-clobber", "Network:", "Examples:", "6  partly done"])
        expect((parsed as { text: string }).text).toContain(part);
    },
  );

  test.each([
    ["help tags plan", "Usage: gantry tags plan "],
    ["help repo ls", "Usage: gantry repo list|ls "],
    ["help tags", "Usage: gantry tags "],
    ["help help", "Usage: gantry <command> "],
  ])("of %s is that command's", (text, usage) => {
    expect(parse(text.split(" "), look)).toMatchObject({ mistake: false, text: expect.stringContaining(usage) });
  });

  test("hidden spellings and commands are not shown", () => {
    expect((parse(["copy", "--help"], look) as { text: string }).text).not.toMatch(/--concurrency|--insecure/);
    expect((parse(["--help"], look) as { text: string }).text).not.toContain("__complete");
  });

  test("options that few need are shown with -v, and counted without", () => {
    const help = (...words: string[]): string => (parse(words, look) as { text: string }).text;
    expect(help("copy", "--help")).not.toContain("--resolve");
    expect(help("copy", "--help")).toMatch(/^--help -v shows \d+ more options/m);
    expect(help("copy", "--help", "-v")).toContain("--resolve");
    expect(help("copy", "--help", "-v")).not.toContain("more options");
    expect(help("version", "--help")).not.toContain("more options");
  });

  test.each([[""], ["blob"]])("is shown where no command is named: %j", (text) => {
    expect(parse(text.split(" ").filter(Boolean), look)).toMatchObject({ mistake: true });
  });
});

function catching(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
