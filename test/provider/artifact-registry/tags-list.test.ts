import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isDigest } from "../../../src/oci/digest.ts";
import { isRepository, isTag } from "../../../src/oci/reference.ts";
import { parseTagsList } from "../../../src/provider/artifact-registry/tags-list.ts";

const hex = fc.stringMatching(/^[0-9a-f]{64}$/).map((digits) => `sha256:${digits}`);
const value = fc.oneof(fc.jsonValue(), fc.stringMatching(/^-?\d{1,20}$/), fc.stringMatching(/^[a-z]{1,9}$/));
const told = fc.dictionary(
  fc.constantFrom("tag", "imageSizeBytes", "timeUploadedMs", "timeCreatedMs", "mediaType"),
  fc.oneof(value, fc.array(value)),
);
const answer = fc.record(
  {
    child: fc.oneof(value, fc.array(value)),
    tags: fc.oneof(value, fc.array(value)),
    manifest: fc.oneof(value, fc.dictionary(fc.oneof(hex, fc.string()), fc.oneof(told, value))),
  },
  { requiredKeys: [] },
);

test("whatever comes, only names, tags, digests, moments and sizes come out", () => {
  fc.assert(
    fc.property(answer, (body) => {
      const { children, tags, images = [] } = parseTagsList(body);
      expect(children.every(isRepository)).toBe(true);
      expect([...tags, ...images.flatMap((image) => image.tags)].every(isTag)).toBe(true);
      for (const { digest, pushed, created, size = 0, mediaType = "" } of images) {
        expect(isDigest(digest!)).toBe(true);
        expect(Number.isSafeInteger(size) && size >= 0).toBe(true);
        expect(mediaType).toMatch(/^[\w.+/-]*$/);
        for (const moment of [pushed, created]) if (moment) expect(moment).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/);
      }
    }),
  );
});
