import { defineConfig, type Rolldown } from "tsdown";

const shared = { platform: "node", target: "node22.22", clean: false, fixedExtension: false } as const;

/**
 * Loading a module of Node's takes time (node:http brings fetch, node:process the standard streams), and so does a chunk: each
 * is loaded by the first use of what it has.
 */
const lazyModules: Rolldown.Plugin = {
  name: "lazy-modules",
  renderChunk(code) {
    const loads = new Map<string, string>();
    const rest = code
      .replace(
        /^let ([\w$]+) = require\("(node:[^"]+)"\);\n(?:\1 = [\w$]+\.__toESM\(\1(?:, 1)?\);\n)?/gm,
        (_, name: string, id: string) => (loads.set(name, `process.getBuiltinModule("${id}")`), ""),
      )
      .replace(
        /^const (require_[\w$]+) = (require\("\.\/[^"]+\.cjs"\));\n/gm,
        (_, name: string, load: string) => (loads.set(name, load), ""),
      );
    if (loads.size === 0) return undefined;
    const getters = [...loads].map(([name, load]) => `get ${name}() { return $${name} ??= ${load}; }`);
    return rest
      .replace(/[\w$]+(?:\.default\b)?/g, (word) => {
        const name = word.replace(".default", "");
        return loads.has(name) ? `$lazy.${name}` : word;
      })
      .replace(
        /^(#!.*\n)?/,
        (first) =>
          `${first}let ${[...loads.keys()].map((name) => `$${name}`).join(", ")};\nconst $lazy = { ${getters.join(", ")} };\n`,
      );
  },
};

/** A package of CommonJS is run by the first use of what it has, too: what requires it remembers that. */
const lazyPackages: Rolldown.Plugin = {
  name: "lazy-packages",
  renderChunk(code) {
    const packages = new Map<string, string>();
    const rest = code.replace(/^var (import_[\w$]+) = (require_[\w$.]+)\(\);\n/gm, (_, name: string, load: string) => {
      packages.set(name, `(${load}())`);
      return "";
    });
    return packages.size === 0
      ? undefined
      : rest.replace(/(?<![\w$])import_[\w$]+/g, (name) => packages.get(name) ?? name);
  },
};

/** A chunk is a script of `vm`, where Node's `import()` warns: what runs the chunk lends one (src/cli/code-cache.ts). */
const lentImport: Rolldown.Plugin = {
  name: "lent-import",
  renderChunk: (code) => code.replace(/(?<![\w$.])import\((?=")/g, "$import("),
};

/** One character beyond ASCII makes Node keep the whole file in twice the space, and hash and read it half as fast. */
const onlyAscii: Rolldown.Plugin = {
  name: "only-ascii",
  // In source text they stand in strings, templates, names and comments alone, where an escape means the same; what
  // prints the code last would undo it earlier.
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      chunk.code = chunk.code.replace(
        /[^\0-\x7F]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
      );
    }
  },
};

/** What runs a chunk calls it (src/cli/code-cache.ts); to put this around it there would copy all of it in each run. */
const wrapped: Rolldown.Plugin = {
  name: "wrapped",
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      chunk.code = `(function (exports, require, $import, __filename, __dirname) {${chunk.code}\n})`;
    }
  },
};

/** Commander loads node:child_process, which brings half of Node along, for commands in programs of their own: we have none. */
const noChildProcess: Rolldown.Plugin = {
  name: "no-child-process",
  resolveId: (id, importer) =>
    id === "node:child_process" && importer?.includes("commander") ? "\0child-process" : undefined,
  load: (id) => (id === "\0child-process" ? "export default {};" : undefined),
};

/** Whether dots follow a letter, Commander asks of all of Unicode, which takes half a millisecond: our options are in ASCII. */
const asciiOptions: Rolldown.Plugin = {
  name: "ascii-options",
  transform: (code, id) =>
    /commander[\\/]lib[\\/]option\.js$/.test(id) ? code.replace("\\p{ID_Continue}", "\\w") : undefined,
};

const everyCommand =
  /commander|child-process|src\/(text\/|cli\/(render\/(?!error|template|size|diagnosis)|table\/(in-use|plan|service|lifecycle)-options|(host-or-image|command|commands|exit-codes|io|login-options|network-options|option|options|option-values|parse|process|run|secrets|setting-options|settings|way-options)\.)|config\/(home-path|places|quantity)|oci\/(error|platform)|transport\/header-fault\.|provider\/provider\.|policy\/(lifecycle\/(dialects|forms)|sync\/import\/tools)\.|auth\/(secret|credential|flags)\.)/;

export default defineConfig([
  {
    ...shared,
    entry: {
      index: "src/index.ts",
      store: "src/store/index.ts",
      server: "src/server/index.ts",
      plan: "src/plan/index.ts",
      policy: "src/policy/index.ts",
    },
    dts: true,
  },
  // The command line on its own, in few files, since each takes a third of a millisecond: what every command needs, what those
  // need that speak to registries, that copy, and so on, and the bodies. `gantry --help` reads the first of them and no more.
  {
    ...shared,
    format: "cjs",
    entry: { "cli/process": "src/cli/process.ts" },
    dts: false,
    // The parser of YAML is seventy files, semver forty, and half as slow to load as one.
    deps: { alwaysBundle: ["commander", "yaml", "valibot", "semver", "croner", "d3-hierarchy"] },
    plugins: [lazyPackages, lazyModules, lentImport, onlyAscii, wrapped, noChildProcess, asciiOptions],
    // Importing a module does nothing by itself anywhere here, so a chunk holds what it uses and no more.
    treeshake: { moduleSideEffects: false },
    inputOptions: { preserveEntrySignatures: "allow-extension" },
    outputOptions: {
      chunkFileNames: "cli/[name].cjs",
      // Each run reads, copies and hashes the text of what it loads, even where V8 has its code.
      comments: { legal: true, annotation: false, jsdoc: false },
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: "version", test: /src\/version\.ts/, priority: 3 },
          { name: "cli", test: everyCommand, priority: 2 },
          { name: "sync-table", test: /src\/cli\/table\/(sync|bundle|watch)/ },
          { name: "plans-table", test: /src\/cli\/table\/(plans|promote|retain|tags)/ },
          { name: "images-table", test: /src\/cli\/table\/(move|look|doctor|change|parts|usage)/ },
          { name: "services-table", test: /src\/cli\/table\// },
          { name: "doctor", test: /src\/doctor\// },
          { name: "images", test: /src\/(graph\/(?!semaphore)|store\/(archive|layout|dir|memory|local))/ },
          // What only moves, writes or acts is no part of what looks whether there is anything to do: V8 reads all of a chunk's code.
          {
            name: "transfer",
            test: /src\/(store\/(files\/|remote\/(put-manifest|upload|download|rereadable|session|location|fallback|delete|referrers))|files\/(lock|drafts|make-directories))/,
          },
          {
            name: "acting",
            test: /src\/(plans\.|plan\/(act|apply|check-steps|copies|recheck|schedule|running|journal|inverse|undo|before)\.|bundle\/(manifest|pack|read)\.|sync\/(arrivals|copy-steps|mounting)\.)/,
          },
          {
            name: "registry",
            test: /src\/(graph\/semaphore|provider\/environment|(transport|auth|files|store|oci|hosts)\/)/,
          },
          {
            name: "client",
            test: /src\/(client\.|copy-locations|machine\.|stack\.|services\.|cli\/(image|connect|configured|given-hosts|given-logins|places)\.)/,
          },
          // What is known of services, all together; each one's calls are a chunk of their own.
          { name: "services", test: /src\/provider\/([\w-]+|[\w-]+\/provider)\.ts/ },
          {
            name: "plans",
            test: /node_modules\/valibot\/|src\/(plan\/|config\/expand\.|document\/|sync\/handed\.)/,
          },
          { name: "configuration", test: /src\/config\/(?!expand)/ },
          { name: "patterns", test: /node_modules\/semver\/|src\/policy\/((?!index)[\w-]+|lifecycle\/regex)\.ts/ },
          { name: "sync-plan", test: /node_modules\/croner\/|src\/policy\/sync\/[\w-]+\.ts|src\/sync\// },
          { name: "promotion", test: /src\/policy\/promote\// },
          { name: "tags", test: /src\/policy\/tags\// },
          { name: "retention", test: /src\/policy\/(retain|lifecycle)\// },
          { name: "yaml", test: /node_modules\/yaml\// },
        ],
      },
    },
  },
  {
    ...shared,
    format: "cjs",
    entry: { gantry: "src/cli/built.ts", "docker-credential-gantry": "src/cli/docker-credential-gantry.ts" },
    dts: false,
    plugins: [lazyModules, onlyAscii],
  },
]);
