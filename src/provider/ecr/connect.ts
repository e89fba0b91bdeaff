import type { Call } from "../../store/store.ts";
import { deleteOne } from "../aws/delete.ts";
import { noAwsLogin } from "../aws/login.ts";
import { protocolService } from "../protocol.ts";
import type { Provider, ServiceContext } from "../provider.ts";
import type { ServiceRegistry } from "../service.ts";
import { openEcr, type Ecr } from "./api.ts";
import { findings } from "./findings.ts";
import { deleteManifests, deleteTag, images } from "./images.ts";
import { deleteLifecycle, lifecycle, previewLifecycle, setLifecycle } from "./lifecycle.ts";
import { replication } from "./replication.ts";
import {
  createRepository,
  deleteRepository,
  describeRepository,
  immutability,
  labels,
  listRepositories as listAll,
  setImmutability,
} from "./repositories.ts";

type Open = (call?: Call) => Promise<Ecr | undefined>;

/**
 * ECR by its own API as who this machine is to AWS. Where there is only a login of the registry (`docker login`), what
 * the distribution API can do goes by that, and the rest throws UNAUTHORIZED.
 */
export function connectEcr(provider: Pick<Provider, "title" | "abilities">, context: ServiceContext): ServiceRegistry {
  const { host, registry } = context;
  const base = protocolService(provider, context);
  let opened: Ecr | undefined;
  const open: Open = async (call) => (opened ??= await openEcr(context, host, call));
  const either = withEitherLogin(base, host, open);
  const searchable = protocolService(provider, { ...context, registry: { ...registry, ...either } });
  return {
    ...base,
    ...either,
    ...withAwsLogin(context, open),
    search: (query, call) => searchable.search(query, call),
  };
}

/** What goes by AWS's API, or without an AWS login by the distribution API. */
function withEitherLogin(base: ServiceRegistry, host: string, open: Open) {
  const listRepositories: ServiceRegistry["listRepositories"] = async function* (prefix, call) {
    const ecr = await open(call);
    yield* ecr ? listAll(ecr, prefix, call) : base.listRepositories(prefix, call);
  };
  const untag: ServiceRegistry["deleteTag"] = async (name, tag, call) => {
    const ecr = await open(call);
    await (ecr ? deleteTag(ecr, name, tag, call) : base.deleteTag(name, tag, call));
  };
  const deleteAll: ServiceRegistry["deleteManifests"] = async function* (name, digests, call) {
    const ecr = await open(call);
    yield* ecr ? deleteManifests(ecr, name, digests, call) : base.deleteManifests(name, digests, call);
  };
  return {
    listRepositories,
    deleteTag: untag,
    deleteManifests: deleteAll,
    async *repositories(prefix, call) {
      for await (const { name } of listRepositories(prefix, call)) yield name;
    },
    repository: (name) => ({
      ...base.repository(name),
      deleteTag: (tag, call) => untag(name, tag, call),
      deleteManifest: (digest, call) => deleteOne(host, name, digest, deleteAll(name, [digest], call)),
    }),
    async describeRepository(name, call) {
      const ecr = await open(call);
      return ecr ? describeRepository(ecr, name, call) : base.describeRepository(name, call);
    },
    async *images(name, call) {
      const ecr = await open(call);
      yield* ecr ? images(ecr, name, call) : base.images(name, call);
    },
  } satisfies Partial<ServiceRegistry>;
}

/** What goes by AWS's API alone. */
function withAwsLogin({ host, clock }: Pick<ServiceContext, "host" | "clock">, open: Open) {
  const need = async (call?: Call): Promise<Ecr> => {
    const ecr = await open(call);
    if (ecr) return ecr;
    throw noAwsLogin(host);
  };
  return {
    createRepository: async (name, call) => createRepository(await need(call), name, call),
    deleteRepository: async (name, call) => deleteRepository(await need(call), name, call),
    immutability: async (name, call) => immutability(await need(call), name, call),
    setImmutability: async (name, wanted, call) => setImmutability(await need(call), name, wanted, call),
    lifecycle: async (name, call) => lifecycle(await need(call), name, call),
    setLifecycle: async (name, document, call) => setLifecycle(await need(call), name, document, call),
    deleteLifecycle: async (name, call) => deleteLifecycle(await need(call), name, call),
    async *previewLifecycle(name, document, call) {
      yield* previewLifecycle(await need(call), clock, name, { ...call, document });
    },
    labels: async (name, call) => labels(await need(call), name, call),
    async *replication(call) {
      yield* replication(await need(call), call);
    },
    findings: async (name, ref, call) => findings(await need(call), name, ref, call),
  } satisfies Partial<ServiceRegistry>;
}
