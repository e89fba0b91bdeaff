import { describe, expect, test } from "vitest";
import { families, groups } from "../../src/cli/command.ts";
import { allCommands, findCommand, tables } from "../../src/cli/commands.ts";
import { shapes } from "../../src/cli/shapes.ts";

const shown = allCommands().filter((command) => !command.hidden);

test("no two commands have a name or alias in common", () => {
  const names = allCommands().flatMap((command) => [command.name, ...(command.aliases ?? [])]);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test.each(tables.map(({ words, commands }) => [words, commands()] as const))(
  "%s are the words with which the names in their table begin",
  (words, commands) => {
    const names = commands.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(new Set(names.map((name) => name.split(" ")[0]))).toEqual(new Set(words.split(" ")));
  },
);

test("every group and every family has a command, and none is unknown", () => {
  expect(new Set(shown.map((command) => command.group))).toEqual(new Set(groups));
  const first = new Set(shown.flatMap(({ name }) => (name.includes(" ") ? [name.split(" ")[0]] : [])));
  expect(first).toEqual(new Set(Object.keys(families)));
});

test.each(allCommands().map((command) => [command.name, command] as const))("%s has a body", async (_, command) => {
  expect((await command.load()).run).toBeTypeOf("function");
});

describe.each(shown.map((command) => [command.name, command] as const))("%s", (name, command) => {
  test("has examples that begin with it", () => {
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { line } of command.examples) expect(line.split(" ").slice(0, 3).join(" ")).toContain(`gantry ${name}`);
  });

  test("has no flag twice", () => {
    const flags = [...command.options, { flags: "-h, --help", also: [] }].flatMap(({ flags, also = [] }) =>
      [flags, ...also.map((one) => one.flags)].flatMap((text) => text.match(/(?<![\w-])--?[a-z-]+/g) ?? []),
    );
    expect(flags.filter((flag, i) => flags.indexOf(flag) !== i)).toEqual([]);
  });

  test("takes many words only at the end, and optional ones only behind the others", () => {
    const list = command.arguments ?? [];
    expect(list.slice(0, -1).some((argument) => argument.many)).toBe(false);
    const firstOptional = list.findIndex((argument) => argument.optional);
    if (firstOptional >= 0) expect(list.slice(firstOptional).every((argument) => argument.optional)).toBe(true);
  });

  test("says the shape of its result where it writes JSON", () => {
    const writes = command.options.some((option) => option.flags.startsWith("--format"));
    expect(Object.hasOwn(shapes, name)).toBe(writes);
  });
});

test.each([
  [["copy", "a", "b"], "copy", ["a", "b"]],
  [["cp", "a"], "copy", ["a"]],
  [["blob", "get", "x"], "blob get", ["x"]],
  [["repo", "ls", "x"], "repo list", ["x"]],
  [["ls", "x"], "ls", ["x"]],
  [["blob"], undefined, undefined],
  [["nothing"], undefined, undefined],
  [[], undefined, undefined],
])("%j is %s", (words, name, rest) => {
  const found = findCommand(words);
  expect(found?.command.name).toBe(name);
  expect(found?.rest).toEqual(rest);
});
