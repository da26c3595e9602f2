/** The package has no types of its own. */
declare module 'svg-to-pdfkit' {
  export default function svgToPdf(
    document: PDFKit.PDFDocument,
    svg: string,
    x?: number,
    y?: number,
    options?: { readonly warningCallback?: (warning: string) => void },
  ): void;
}
