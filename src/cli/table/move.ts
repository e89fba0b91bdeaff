import type { Command } from "../command.ts";
import * as options from "../options.ts";
import { create } from "./service-options.ts";

const how = [
  options.platforms,
  options.jobs,
  options.limitRate,
  options.referrers,
  options.toOci,
  options.force,
  options.dryRun,
  options.digestFile,
  options.format,
  options.progress,
  options.quiet,
  options.verbose,
];

/** Commands that move images. */
export const moveCommands: readonly Command[] = [
  {
    name: "copy",
    aliases: ["cp"],
    group: "Move images",
    summary: "copy an image, with all its platforms and all that is attached to it",
    details:
      "Places are registries (NAME:TAG, docker://NAME:TAG) and local formats (oci:DIR:TAG, oci-archive:FILE:TAG, " +
      "docker-archive:FILE:NAME, dir:DIR), in any direction. A destination without a tag takes the source's. Manifests " +
      "stay as they are, byte for byte; what the destination has already is not sent; a tag appears when all it needs " +
      "is there, so that an interrupted copy is finished by running it again. Several destinations are fed by one read. " +
      "An archive keeps the other images that are in it; a file that is something else is not overwritten.",
    arguments: [
      { name: "source", summary: "the image to copy; a repository with --all-tags", completes: "location" },
      { name: "destination", summary: "where it goes", many: true, completes: "location" },
    ],
    options: [
      options.allTags,
      options.noClobber,
      create,
      ...how,
      options.detailedExitcode,
      ...options.networkOptions,
      ...options.sideOptions,
    ],
    examples: [
      {
        note: "from one registry to another, as it is",
        line: "gantry copy registry.example/app:1.0 mirror.example/app",
      },
      {
        note: "two platforms of it",
        line: "gantry copy --platform linux/amd64,linux/arm64 registry.example/app:1.0 mirror.example/app:small",
      },
      {
        note: "every tag of a repository, leaving alone what is there",
        line: "gantry copy --all-tags --no-clobber registry.example/app mirror.example/all",
      },
      {
        note: "to a registry and an OCI layout at once",
        line: "gantry copy registry.example/app:1.0 mirror.example/twice:1.0 oci:images:1.0",
      },
      {
        note: "through a mirror, where that has it",
        line: "gantry copy --mirror registry.example=mirror.example registry.example/app:1.0 oci:images:1.0",
      },
      { note: "what would be sent", line: "gantry copy --dry-run registry.example/app:1.0 mirror.example/app:2.0" },
    ],
    endings: ["notFound", "denied", "refused", "partly", "changes"],
    load: () => import("../commands/copy.ts"),
  },
  {
    name: "pull",
    group: "Move images",
    summary: "copy an image from a registry into a file or directory",
    details:
      "PATH ends in .tar: an OCI archive; else an OCI layout directory, by default one named like the repository. " +
      "--as chooses another format, a path such as docker-archive:FILE too, and - writes an archive to stdout. " +
      "A docker-archive holds single images: without --platform, the one for this machine. " +
      "An archive that is there keeps the other images that are in it.",
    arguments: [
      { name: "reference", summary: "the image", completes: "reference" },
      { name: "path", summary: "where it goes", optional: true, completes: "file" },
    ],
    options: [options.as, ...how, ...options.networkOptions],
    examples: [
      { note: "into the OCI layout ./app, under the tag 1.0", line: "gantry pull registry.example/app:1.0" },
      {
        note: "into an archive that docker load and podman load read",
        line: "gantry pull --as docker-archive registry.example/app:1.0 app.tar",
      },
      {
        note: "one platform, to stdout",
        line: "gantry pull --platform linux/arm64 registry.example/app:1.0 - > app-arm64.tar",
      },
    ],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/pull.ts"),
  },
  {
    name: "push",
    group: "Move images",
    summary: "copy an image from a file or directory to a registry",
    details:
      "What PATH is (an OCI layout, an OCI or Docker archive, a dir:) is seen from its content; - reads an archive from " +
      "stdin, an OCI one unless --as says otherwise. PATH may name one image of many, as in oci:DIR:TAG.",
    arguments: [
      { name: "path", summary: "the file or directory", completes: "file" },
      { name: "reference", summary: "where the image goes", completes: "reference" },
    ],
    options: [options.as, create, ...how, ...options.networkOptions],
    examples: [
      { note: "an OCI layout", line: "gantry push images registry.example/new:1.0" },
      { note: "one image of several", line: "gantry push oci:images:1.0 registry.example/new:2.0" },
      {
        note: "where a push does not make the repository",
        line: "gantry push --create oci:images:1.0 registry.example/created:1.0",
      },
      { note: "what docker save wrote", line: "gantry push saved.tar registry.example/saved:1.0" },
    ],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/push.ts"),
  },
  {
    name: "tag",
    group: "Move images",
    summary: "give an image more tags in its repository",
    details:
      "Nothing but the manifest is sent. A tag that exists moves, unless tags.immutable of the configuration says that it never does.",
    arguments: [
      { name: "reference", summary: "the image, by tag or digest", completes: "reference" },
      { name: "tag", summary: "what it shall be called too", many: true },
    ],
    options: [options.force, options.dryRun, ...options.formatOptions, ...options.networkOptions],
    examples: [{ note: "two more names for 1.0", line: "gantry tag registry.example/app:1.0 1 latest" }],
    endings: ["notFound", "denied", "refused"],
    load: () => import("../commands/tag.ts"),
  },
];
