/** Black or white, whichever stands out more on an `#rrggbb` colour (WCAG 2 relative luminance). */
export function inkOn(colour: string): "#000000" | "#ffffff" {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // The luminance at which both contrasts are equal: (1.05 / (L + 0.05)) = ((L + 0.05) / 0.05).
  return luminance > 0.1791 ? "#000000" : "#ffffff";
}
