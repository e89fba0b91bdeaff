import * as v from "valibot";
import { expect, test } from "vitest";
import { checked, parseYaml } from "../../src/plan/index.ts";

const schema = v.strictObject({
  name: v.exactOptional(v.string()),
  sizes: v.exactOptional(v.array(v.number())),
  kind: v.exactOptional(v.picklist(["one", "two"])),
  more: v.exactOptional(v.union([v.literal(true), v.string(), v.record(v.string(), v.string())])),
});
const read = (text: string): unknown => checked(schema, parseYaml(text, "FILE"));

test.each([
  ["ghp_secret", "FILE:1:1: has to be an object, and is a text"],
  ["12345", "FILE:1:1: has to be an object, and is a number"],
  ["true", "FILE:1:1: has to be an object, and is true"],
  ["", "FILE: is empty"],
  ["# ghp_secret\n", "FILE: is empty"],
  ["name: 12345", "FILE:1:7: name: has to be a text, and is a number"],
  ["name: {a: 12345}", "FILE:1:7: name: has to be a text, and is an object"],
  ["name:", "FILE:1:6: name: has to be a text, and is empty"],
  ["sizes: secret", "FILE:1:8: sizes: has to be a list, and is a text"],
  ["sizes: [secret]", "FILE:1:9: sizes[0]: has to be a number, and is a text"],
  ["name: [secret]", "FILE:1:7: name: has to be a text, and is a list"],
  ["kind: secret", 'FILE:1:7: kind: has to be "one" or "two"'],
  ["more: 12345", "FILE:1:7: more: has to be true, a text or an object, and is a number"],
  ["name: a\n---\nname: b\n", "FILE:2:1: a second document begins here, and only one may be there"],
  ["name: a\n} ghp_secret", "FILE:2:1: this is neither JSON nor YAML: Unexpected flow-map-end token in YAML stream"],
])("what is wrong with %j is said without its values", (text, message) => {
  expect(() => read(text)).toThrow(expect.objectContaining({ message }));
});
