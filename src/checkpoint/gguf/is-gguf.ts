/** Whether a model's path is a GGUF file's, by its name. */
export function isGgufFile(path: string): boolean {
  return path.toLowerCase().endsWith('.gguf');
}
