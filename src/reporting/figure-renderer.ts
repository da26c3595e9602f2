/** Draws an SVG file's content in another format: a module of this folder and a line in figure-files.ts. */
export type FigureRenderer = (svg: string) => Uint8Array | Promise<Uint8Array>;
