import { Interpreter } from '@huggingface/jinja';

/** A value of the interpreter's; its package's own types cannot be found from here. */
interface Value {
  readonly type: string;
  readonly value: unknown;
  readonly builtins: ReadonlyMap<string, { value: (args: Value[], scope: unknown) => Value }>;
}

/** A node of a template's tree. */
interface Node {
  readonly type: string;
}

interface AnyInterpreter {
  evaluate(node: Node | undefined, environment: unknown): Value;
  run(program: unknown): Value;
}

const Base: new (environment: unknown) => AnyInterpreter = Interpreter;

/** Characters and elements of one value: more than any prompt has. */
const MOST_OF_A_VALUE = 1 << 21;
/** Characters of all strings that come up, for loops that make many long ones. */
const MOST_IN_ALL = 1 << 26;
/** Filters that write an argument once for every line or element, and what such an argument may be: a number or a length. */
const REPEATING = ['join', 'indent', 'tojson'];
const LARGEST_REPEATED = 64;

/**
 * An interpreter of templates whose values stay of a size that prompts have: doubling a string or a list forty times needs no time
 * and all memory. Ends with an error.
 */
export class LimitedInterpreter extends Base {
  #left = MOST_IN_ALL;
  /** Arguments of repeating filters. */
  readonly #repeated = new WeakSet<object>();
  readonly #sizes = new WeakMap<object, number>();

  override evaluate(node: Node | undefined, environment: unknown): Value {
    if (node?.type === 'FilterExpression')
      for (const one of repeatedBy(node)) this.#repeated.add(one);
    const value = super.evaluate(node, environment);
    const size = this.#sizeOf(value);
    if (size > MOST_OF_A_VALUE)
      throw new Error(`it makes a value of ${size} characters or elements`);
    if (value.type === 'StringValue') {
      this.#left -= size;
      if (this.#left < 0) throw new Error(`it makes more than ${MOST_IN_ALL} characters`);
      limitReplace(value);
    }
    if (node && this.#repeated.has(node)) checkRepeated(value);
    return value;
  }

  /** Of a list or an object with all that is in it; they do not change once they are made. */
  #sizeOf(value: Value): number {
    if (typeof value.value === 'string') return value.value.length;
    const inner = insideOf(value);
    if (inner === undefined) return 1;
    const known = this.#sizes.get(value);
    if (known !== undefined) return known;
    let size = 1;
    for (const one of inner) size += this.#sizeOf(one);
    // What a namespace holds can be set.
    if (value.type !== 'NamespaceValue') this.#sizes.set(value, size);
    return size;
  }
}

function insideOf({ value }: Value): Iterable<Value> | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Map ? value.values() : undefined;
}

/** The arguments of a filter that repeats them; its name stands alone or as what is called. */
function repeatedBy(node: Node): object[] {
  const { filter } = Object(node);
  const name = filter.callee?.value ?? filter.value;
  if (!REPEATING.includes(name) || !Array.isArray(filter.args)) return [];
  // A named argument is a pair of name and expression.
  return filter.args.map((argument: object) =>
    Object(argument).value instanceof Object ? Object(argument).value : argument,
  );
}

function checkRepeated({ value }: Value): void {
  const size = typeof value === 'string' ? value.length : Number(value);
  if (size > LARGEST_REPEATED)
    throw new Error(`a filter's argument is larger than ${LARGEST_REPEATED}`);
}

/** What comes of replacing is known before it is made. */
function limitReplace(text: Value): void {
  const builtin = text.builtins.get('replace');
  if (builtin === undefined) return;
  const replace = builtin.value;
  builtin.value = (args, scope) => {
    const [from, to] = args.map(({ value }) => value);
    if (typeof from === 'string' && typeof to === 'string') {
      const times = String(text.value).split(from).length;
      if (times * to.length > MOST_OF_A_VALUE) throw new Error('replace() makes too long a text');
    }
    return replace(args, scope);
  };
}
