import { describe, expect, test } from "vitest";
import { fields, table, wrapped, type Column } from "../../../src/cli/render/table.ts";

interface Row {
  readonly tag: string;
  readonly digest: string;
  readonly size: string;
}

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const rows: readonly Row[] = [
  { tag: "1.0", digest, size: "9 B" },
  { tag: "a-rather-long-tag-for-a-table", digest, size: "120 MB" },
];
const columns: readonly Column<Row>[] = [
  { title: "TAG", value: (row) => row.tag },
  { title: "DIGEST", value: (row) => row.digest },
  { title: "SIZE", value: (row) => row.size, right: true },
];

describe("a table", () => {
  test("has columns as wide as their widest cell, and no space at line ends", () => {
    expect(table(rows, columns, { color: false })).toBe(
      [
        `TAG                            ${"DIGEST".padEnd(71)}    SIZE`,
        `1.0                            ${digest}     9 B`,
        `a-rather-long-tag-for-a-table  ${digest}  120 MB`,
        "",
      ].join("\n"),
    );
  });

  test("leaves out columns of which nothing is told, and has a dash where others have something", () => {
    const untold = (value: Column<Row>["value"]): readonly Column<Row>[] => [
      columns[0]!,
      { title: "TYPE", value, ifTold: true },
    ];
    expect(
      table(
        rows.slice(0, 1),
        untold(() => ""),
        { color: false },
      ),
    ).toBe("TAG\n1.0\n");
    const some = untold(({ tag }) => (tag === "1.0" ? "" : "x"));
    expect(table(rows, some, { color: false })).toMatch(/^TAG +TYPE\n1\.0 +-\na-rather\S+ +x\n$/);
  });

  test("shortens digests on a terminal that is too narrow for them", () => {
    expect(table(rows, columns, { color: false, width: 80 })).toContain(
      "1.0                            sha256:0123456789ab     9 B",
    );
  });

  test("leaves the algorithm out where that is not enough", () => {
    expect(table(rows, columns, { color: false, width: 55 })).toContain(
      "1.0                            0123456789ab     9 B",
    );
  });

  test("keeps the ends of places and platforms, which tell them apart", () => {
    const places = ["1", "2"].map((tag) => ({ at: `registry.example/team/application:${tag}`, on: "linux/arm64" }));
    const titled: readonly Column<(typeof places)[number]>[] = [
      { title: "AT", value: ({ at }) => at },
      { title: "PLATFORM", value: ({ on }) => on },
    ];
    expect(table(places, titled, { color: false, width: 25 }).split("\n").slice(1, 3)).toEqual([
      "regis…tion:1  linux/arm64",
      "regis…tion:2  linux/arm64",
    ]);
  });

  test.each([50, 45, 40])("stays within %d columns", (width) => {
    const lines = table(rows, columns, { color: false, width }).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines[2]).toContain("…");
  });

  test("stands one below the other what has no room beside each other, in full", () => {
    const many = ["PUSHED", "PULLED", "CREATED"].map((title) => ({ title, value: () => "2026-11-30 07:01" }));
    expect(table(rows, [...columns, ...many], { color: false, width: 40 })).toBe(
      ["1.0", "a-rather-long-tag-for-a-table"]
        .map((tag) =>
          [
            tag,
            "  DIGEST   sha256:0123456789ab",
            `  SIZE     ${tag === "1.0" ? "9 B" : "120 MB"}`,
            "  PUSHED   2026-11-30 07:01",
            "  PULLED   2026-11-30 07:01",
            "  CREATED  2026-11-30 07:01",
            "",
          ].join("\n"),
        )
        .join(""),
    );
  });

  test("breaks long values of what stands by itself at spaces; a word without room stands below its title", () => {
    const many = ["PUSHED", "PULLED"].map((title) => ({ title, value: () => "2026-11-30 07:01" }));
    const titled: readonly Column<Row>[] = [
      ...columns,
      ...many,
      { title: "GATES", value: () => "from, approval, command smoke, command lint" },
      { title: "AMONG", value: () => `registry.example/team/app:${"1".repeat(10)}` },
    ];
    expect(table(rows.slice(0, 1), titled, { color: false, width: 40 })).toBe(`1.0
  DIGEST  sha256:0123456789ab
  SIZE    9 B
  PUSHED  2026-11-30 07:01
  PULLED  2026-11-30 07:01
  GATES   from, approval, command smoke,
          command lint
  AMONG
    registry.example/team/app:1111111111
`);
  });

  test("shows no control characters of its cells", () => {
    expect(table([{ ...rows[0]!, tag: "\u001B[2J" }], columns, { color: false })).toContain(String.raw`\u001b[2J`);
  });

  test("of nothing is its heading", () => {
    expect(table([], columns, { color: false })).toBe("TAG  DIGEST  SIZE\n");
  });
});

test("texts are broken at spaces, to lines that fit", () => {
  expect(wrapped("one two three extraordinary four", 9)).toEqual(["one two", "three", "extraordinary", "four"]);
  expect(wrapped("", 9)).toEqual([""]);
});

test("fields stand in a column, those without a value are left out", () => {
  const pairs = [
    ["Name", "app"],
    ["Longer", "x\ny"],
    ["Empty", ""],
    ["Missing", undefined],
  ] as const;
  expect(fields(pairs, { color: false }, "  ")).toBe("  Name    app\n  Longer  x\\ny\n");
});
