import type { Command } from "../command.ts";
import * as options from "../options.ts";

const common = [...options.formatOptions, ...options.networkOptions];

/** Commands on single files and blobs. */
export const partCommands: readonly Command[] = [
  {
    name: "artifact attach",
    group: "Parts",
    summary: "attach files to an image: an SBOM, a report, a signature",
    arguments: [
      { name: "reference", summary: "the image", completes: "reference" },
      { name: "file", summary: "FILE, or FILE:MEDIA/TYPE", many: true, completes: "file" },
    ],
    options: [options.artifactType, options.annotations, ...common],
    examples: [
      {
        note: "an SBOM",
        line: "gantry artifact attach --type application/spdx+json registry.example/app:1.0 sbom.json:application/spdx+json",
      },
    ],
    endings: ["notFound", "denied"],
    load: () => import("../commands/artifact-attach.ts"),
  },
  {
    name: "artifact get",
    group: "Parts",
    summary: "fetch the files of an artifact, or those attached to an image",
    details:
      "REFERENCE is an artifact, by tag or digest, or an image: then all files attached to it, or those of one --type. " +
      "A file that is there with the same content is left as it is; where one has other content, nothing is written. " +
      "No file goes outside of the directory, not by its name, nor by a symbolic link that is there: what leads out is refused.",
    arguments: [{ name: "reference", summary: "the artifact, or the image", completes: "reference" }],
    options: [options.outputDirectory, options.overwrite, options.artifactType, ...common],
    examples: [
      { note: "what is attached, into ./attached", line: "gantry artifact get -o attached registry.example/app:1.0" },
      {
        note: "the SBOM alone",
        line: "gantry artifact get --type application/spdx+json -o sboms registry.example/app:1.0",
      },
    ],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/artifact-get.ts"),
  },
  {
    name: "blob get",
    group: "Parts",
    summary: "print a blob, or write it to a file",
    details:
      "Its digest is checked: with -o, a file appears only when all of it is right. Where FILE is a symbolic link, it appears " +
      "where that leads.",
    arguments: [{ name: "reference", summary: "REPOSITORY@DIGEST", completes: "reference" }],
    options: [options.outputFile, options.verbose, ...options.networkOptions],
    examples: [{ note: "a layer", line: "gantry blob get -o layer.tar.gz registry.example/app@LAYER" }],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/blob-get.ts"),
  },
  {
    name: "blob put",
    group: "Parts",
    summary: "store a file as a blob",
    arguments: [
      { name: "repository", summary: "where it goes", completes: "repository" },
      { name: "file", summary: "the file, or - for stdin", completes: "file" },
    ],
    options: common,
    examples: [{ note: "prints its digest", line: "gantry blob put registry.example/app sbom.json" }],
    endings: ["denied"],
    load: () => import("../commands/blob-put.ts"),
  },
];
