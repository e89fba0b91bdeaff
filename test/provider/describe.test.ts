import { expect, test } from "vitest";
import { describeQuirks } from "../../src/provider/describe.ts";
import { generic } from "../../src/provider/generic.ts";
import { providers } from "../../src/provider/providers.ts";

const { quirks } = generic;

test("what differs is told, a line for each thing", () => {
  const lines = describeQuirks({
    ...quirks,
    upload: { whole: true, chunks: false, largestBody: 10 * 2 ** 20, largestLayer: 52 * 2 ** 30 },
    pages: { tags: 100, api: 50 },
    rateHeaders: ["x-left"],
    tokenSeconds: 43_200,
    lies: [{ status: 405, text: /locked/, means: "the tag is locked" }],
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      "a push makes the repository",
      "blobs are sent in one request, not in chunks",
      "a request has at most 10 MiB",
      "a layer has at most 52 GiB",
      "tags come by name, at most 100 a page",
      "its own lists have at most 50 entries a page",
      "a login lasts 12 hours",
      "limits are told in x-left",
      "an answer 405 may mean: the tag is locked",
    ]),
  );
});

test.each([
  [60, "1 minute"],
  [300, "5 minutes"],
  [90, "90 seconds"],
  [3600, "1 hour"],
  [5400, "90 minutes"],
  [86_400, "1 day"],
])("a login of %i seconds lasts %s", (tokenSeconds, span) => {
  expect(describeQuirks({ ...quirks, tokenSeconds })).toContain(`a login lasts ${span}`);
});

test.each(providers.map((provider) => [provider.name, provider] as const))("all that %s says has words", (_, one) => {
  expect(describeQuirks(one.quirks).join("\n")).not.toMatch(/undefined|NaN/);
});
