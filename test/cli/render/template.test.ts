import { expect, test } from "vitest";
import { parseTemplate } from "../../../src/cli/render/template.ts";

const value = {
  name: "app",
  size: 3,
  tags: ["1", "2"],
  images: [{ os: "linux", n: 1 }, { os: "windows" }],
  none: null,
  labels: { "a.b": "c" },
};

test.each([
  ["{{.name}}", "app"],
  ["{{ .name }}/{{.size}}", "app/3"],
  ["{{.Name}}", "app"],
  ["{{.images}}", '[{"os":"linux","n":1},{"os":"windows"}]'],
  ["{{json .name}}", '"app"'],
  ["{{json .missing}}", "null"],
  ["{{json .}}", JSON.stringify(value)],
  ["[{{.missing}}{{.missing.deeper}}{{.name.deeper}}]", "[]"],
  ["{{.none}}", "null"],
  ["{{range .tags}}<{{.}}>{{end}}", "<1><2>"],
  [String.raw`{{range .images}}{{.os}}\t{{.n}}\n{{end}}`, "linux\t1\nwindows\t\n"],
  ["{{range .labels}}{{.}}{{end}}", "c"],
  ["{{range .missing}}x{{end}}", ""],
  ["{{range .images}}{{range .os}}{{end}}{{end}}", ""],
])("%s writes %j", (template, text) => {
  expect(parseTemplate(template)(value)).toBe(text);
});

test.each([
  ["{{.name", "do not match"],
  ["{{name}}", "{{name}} is none of"],
  ["{{if .name}}x{{end}}", "{{if .name}} is none of"],
  ["{{end}}", "{{end}} without {{range}}"],
  ["{{range .tags}}", "{{range}} without {{end}}"],
])("%s is refused: %s", (template, reason) => {
  expect(() => parseTemplate(template)).toThrow(
    expect.objectContaining({ code: "INVALID", message: expect.stringContaining(reason) }),
  );
});
