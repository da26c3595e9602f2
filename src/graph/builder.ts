import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.js';

/** ONNX element types used here (TensorProto.DataType). */
export const elementType = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  half: 10,
} as const;
export type ElementType = (typeof elementType)[keyof typeof elementType];

/** A dimension of a graph input or output: a fixed size, or a name for one known only at run time. */
export type Dimension = number | string;

type AttributeValue =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly graph: GraphProto }
  | { readonly tensor: TensorProto };

/** Attributes of a node by name. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Operators outside the ONNX standard: onnxruntime's contributed ones. */
const contributed = new Set([
  'FastGelu',
  'FusedMatMul',
  'GatherBlockQuantized',
  'MatMulIntegerToFloat',
  'MatMulNBits',
  'QuickGelu',
  'RotaryEmbedding',
  'SkipSimplifiedLayerNormalization',
]);

/** Where a weight lies in the external data file. */
export interface ExternalRange {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export function valueInfo(
  name: string,
  type: ElementType,
  shape?: readonly Dimension[],
): ValueInfoProto {
  const dim = shape?.map((size) =>
    typeof size === 'string'
      ? { value: { case: 'dimParam' as const, value: size } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: dim ? { elemType: type, shape: { dim } } : { elemType: type },
      },
    },
  });
}

function attribute(name: string, value: AttributeValue): AttributeProto {
  const init = (): MessageInitShape<typeof AttributeProtoSchema> => {
    if ('int' in value) return { name, type: AttributeType.INT, i: BigInt(value.int) };
    if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
    if ('ints' in value) return { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) };
    if ('graph' in value) return { name, type: AttributeType.GRAPH, g: value.graph };
    return { name, type: AttributeType.TENSOR, t: value.tensor };
  };
  return create(AttributeProtoSchema, init());
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Nodes of one graph (or of one branch of an `If`) in the order in which they run. */
export class Nodes {
  readonly list: NodeProto[] = [];

  /** @param scope prefix that keeps value names unique in the whole model. */
  constructor(readonly scope: string) {}

  /** Adds a node with one output named `scope/label`; returns that name. */
  add(op: string, label: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.addMany(op, label, inputs, [label], attributes)[0]!;
  }

  /** Adds a node with several outputs; returns their names in the same order. */
  addMany(
    op: string,
    label: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
  ): string[] {
    const names = outputs.map((output) => `${this.scope}${output}`);
    this.list.push(
      create(NodeProtoSchema, {
        name: `${this.scope}${label}:${op}`,
        opType: op,
        domain: contributed.has(op) ? 'com.microsoft' : '',
        input: [...inputs],
        output: names,
        attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      }),
    );
    return names;
  }

  /** This list as a branch of an `If`. */
  branch(outputs: readonly string[], type: ElementType = elementType.float): GraphProto {
    return create(GraphProtoSchema, {
      name: this.scope || 'branch',
      node: this.list,
      output: outputs.map((name) => valueInfo(name, type)),
    });
  }
}

/** Initializers shared by the whole graph: small ones inside the model file, weights in the external data file. */
export class Initializers {
  readonly list: TensorProto[] = [];
  private readonly known = new Set<string>();

  /** A small integer vector, stored once per name. */
  int64(name: string, values: readonly number[]): string {
    return this.inline(
      name,
      elementType.int64,
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  /** A tensor kept inside the model file; giving the same name twice stores it once. */
  inline(
    name: string,
    dataType: ElementType,
    dims: readonly number[],
    data: ArrayBufferView,
  ): string {
    if (!this.known.has(name)) {
      this.known.add(name);
      this.list.push(
        create(TensorProtoSchema, {
          name,
          dataType,
          dims: dims.map(BigInt),
          rawData: bytesOf(data),
        }),
      );
    }
    return name;
  }

  /** A tensor that lies in the external data file. Several may share one range under different shapes. */
  external(
    name: string,
    dataType: ElementType,
    dims: readonly number[],
    range: ExternalRange,
  ): string {
    this.list.push(
      create(TensorProtoSchema, {
        name,
        dataType,
        dims: dims.map(BigInt),
        dataLocation: DataLocation.EXTERNAL,
        externalData: [
          { key: 'location', value: range.file },
          { key: 'offset', value: String(range.offset) },
          { key: 'length', value: String(range.length) },
        ],
      }),
    );
    return name;
  }
}

/** A graph as the bytes of a model that the runtime loads. */
export function modelBytes(graph: GraphProto): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 10n,
      producerName: 'sspec',
      opsetImport: [
        { domain: '', version: 18n },
        { domain: 'com.microsoft', version: 1n },
      ],
      graph,
    }),
  );
}

/** An empty float tensor of the given shape, for the branch of a sublayer that does not run. */
export function emptyFloat(dims: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    dataType: elementType.float,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(0),
  });
}
