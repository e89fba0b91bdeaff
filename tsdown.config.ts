import { defineConfig, type Rolldown } from "tsdown";

const shared = { platform: "node", target: "node22.22", clean: false, fixedExtension: false } as const;

/**
 * An ES import of a module of Node's loads it and reads all its getters, and so loads what those lend out (node:http:
 * fetch; node:process: the standard streams): 20 ms before the first line of ours. Here it is loaded by the first call of
 * one of its functions; what is no function (a class, a constant) is taken from it at once.
 */
const lazyBuiltins: Rolldown.Plugin = {
  name: "lazy-builtins",
  renderChunk: (code) =>
    // What is bundled requires modules of Node's alone: making a `require` for that takes a millisecond.
    code
      .replace(/^var __require = .*$/m, "const __require = (id) => process.getBuiltinModule(id);")
      .replace(
        /^import (?:([\w$]+)(?:, )?)?(?:\{([^}]*)\})? from "(node:[^"]+)";$/gm,
        (_, whole: string | undefined, names: string | undefined, id: string) => {
          const load = `process.getBuiltinModule("${id}")`;
          const module = `$${id.replace(/\W/g, "_")}`;
          const bindings = names?.split(",").map((name) => name.trim().split(" as ")) ?? [];
          return [
            ...(whole === undefined ? [] : [`const ${whole} = ${load};`]),
            ...(bindings.length === 0 ? [] : [`let ${module};`]),
            ...bindings.map(([name = "", local = name]) =>
              isFunction(id, name)
                ? `const ${local} = (...args) => (${module} ??= ${load}).${name}(...args);`
                : `const ${local} = ${load}.${name};`,
            ),
          ].join("\n");
        },
      ),
};

function isFunction(id: string, name: string): boolean {
  const module = process.getBuiltinModule(id) as Readonly<Record<string, unknown>> | undefined;
  return typeof module?.[name] === "function" && !/^[A-Z]/.test(name);
}

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

/** Commander loads node:child_process, which brings half of Node along, for commands in programs of their own: we have none. */
const noChildProcess: Rolldown.Plugin = {
  name: "no-child-process",
  resolveId: (id, importer) =>
    id === "node:child_process" && importer?.includes("commander") ? "\0child-process" : undefined,
  load: (id) => (id === "\0child-process" ? "export default {};" : undefined),
};

const everyCommand =
  /commander|child-process|src\/(text\/|cli\/((render|table)\/(?!error)|(host-or-image|command|commands|exit-codes|io|login-options|network-options|option|options|option-values|parse|process|run|secrets|setting-options|settings|way-options)\.)|config\/(home-path|places|quantity)|oci\/(error|platform)|transport\/header-fault\.|provider\/provider\.|policy\/(lifecycle\/(dialects|forms)|sync\/import\/tools)\.|auth\/(secret|credential|flags)\.)/;

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
  // The command line on its own, in few files, since each takes half a millisecond: what every command needs, what those
  // need that speak to registries, and the bodies. `gantry --help` reads the first of them and no more.
  {
    ...shared,
    entry: { gantry: "src/cli/main.ts", "docker-credential-gantry": "src/cli/docker-credential-gantry.ts" },
    dts: false,
    // The parser of YAML is seventy files, semver forty, and half as slow to load as one.
    deps: { alwaysBundle: ["commander", "yaml", "valibot", "semver", "croner", "d3-hierarchy"] },
    plugins: [lazyBuiltins, onlyAscii, noChildProcess],
    // Importing a module does nothing by itself anywhere here, so a chunk holds what it uses and no more.
    treeshake: { moduleSideEffects: false },
    inputOptions: { preserveEntrySignatures: false },
    outputOptions: {
      chunkFileNames: "cli/[name].js",
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: "version", test: /src\/version\.ts/, priority: 3 },
          { name: "cli", test: everyCommand, priority: 2 },
          { name: "doctor", test: /src\/doctor\// },
          {
            name: "library",
            test: /src\/(client\.|machine\.|stack\.|services\.|copy-locations|provider\/environment|(transport|auth|files|store|graph|oci|hosts)\/|cli\/(image|connect|configured|given-hosts|given-logins|places)\.)/,
          },
          // What is known of services, all together; each one's calls are a chunk of their own.
          { name: "services", test: /src\/provider\/([\w-]+|[\w-]+\/provider)\.ts/ },
          { name: "plans", test: /node_modules\/valibot\/|src\/(plans\.|plan\/|document\/)/ },
          { name: "configuration", test: /src\/config\// },
          { name: "yaml", test: /node_modules\/yaml\// },
        ],
      },
    },
  },
]);
