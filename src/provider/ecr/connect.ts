import type { Call, Store } from "../../store/store.ts";
import { unsupported } from "../abilities.ts";
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
  listRepositories,
  setImmutability,
} from "./repositories.ts";

/**
 * ECR by its own API as who this machine is to AWS. Where there is only a login of the registry (`docker login`), what
 * the distribution API can do goes by that, and the rest throws UNAUTHORIZED.
 */
export function connectEcr(provider: Pick<Provider, "title" | "abilities">, context: ServiceContext): ServiceRegistry {
  const base = protocolService(provider, context);
  const { host, clock } = context;
  let opened: Ecr | undefined;
  const open = async (call?: Call): Promise<Ecr | undefined> => (opened ??= await openEcr(context, host, call));
  const need = async (call?: Call): Promise<Ecr> => {
    const ecr = await open(call);
    if (ecr) return ecr;
    throw noAwsLogin(host);
  };
  const names: ServiceRegistry["repositories"] = async function* (prefix, call) {
    for await (const { name } of listed(prefix, call)) yield name;
  };
  const listed: ServiceRegistry["listRepositories"] = async function* (prefix, call) {
    const ecr = await open(call);
    yield* ecr ? listRepositories(ecr, prefix, call) : base.listRepositories(prefix, call);
  };
  const searchable = protocolService(provider, { ...context, registry: { ...context.registry, repositories: names } });
  const untag: ServiceRegistry["deleteTag"] = async (name, tag, call) => {
    const ecr = await open(call);
    await (ecr ? deleteTag(ecr, name, tag, call) : base.deleteTag(name, tag, call));
  };
  const deleted: ServiceRegistry["deleteManifests"] = async function* (name, digests, call) {
    const ecr = await open(call);
    yield* ecr ? deleteManifests(ecr, name, digests, call) : base.deleteManifests(name, digests, call);
  };
  const repository = (name: string): Store => ({
    ...base.repository(name),
    deleteTag: (tag, call) => untag(name, tag, call),
    deleteManifest: (digest, call) => deleteOne(host, name, digest, deleted(name, [digest], call)),
  });
  return {
    ...base,
    repository,
    repositories: names,
    listRepositories: listed,
    async describeRepository(name, call) {
      const ecr = await open(call);
      return ecr ? describeRepository(ecr, name, call) : base.describeRepository(name, call);
    },
    async *images(name, call) {
      const ecr = await open(call);
      yield* ecr ? images(ecr, name, call) : base.images(name, call);
    },
    search: (query, call) => searchable.search(query, call),
    createRepository: async (name, call) => createRepository(await need(call), name, call),
    deleteRepository: async (name, call) => deleteRepository(await need(call), name, call),
    deleteTag: untag,
    deleteManifests: deleted,
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
    async allowances() {
      throw unsupported(provider.title, host, "allowances", provider.abilities.allowances);
    },
    findings: async (name, ref, call) => findings(await need(call), name, ref, call),
  };
}
