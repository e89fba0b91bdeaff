import type { Shape } from "./shapes.ts";

const digest = "a digest: sha256:...";

/** What repositories take up; all in bytes. */
export const usageShape: Shape = {
  size: "with --usage: bytes of all, each digest counted once",
  shared: "of that, what more than one of the repositories has",
  repositories: [
    {
      repository: "its name",
      size: "bytes of all that it has",
      frees: "what deleting all of it would free: what no other of the repositories has",
      shared: "of that, what several of its images have",
      tags: "how many",
      manifests: "how many",
      images: [
        {
          digest,
          tags: ["a tag; none where nothing leads to it"],
          "artifactType?": "of an artifact, its type",
          size: "bytes of it, its parts and all that is attached",
          frees: "what deleting all its tags would free",
          sharedWith: ["one of those that have some of the rest, the largest part first"],
        },
      ],
      gaps: [{ at: "what could not be read, and is not counted", why: "why" }],
    },
  ],
  layers: [
    {
      digest,
      size: "bytes",
      images: "how many have it",
      repositories: "in how many repositories those are",
      "repository?": "the only one",
      among: ["one of them"],
    },
  ],
};
