using System.Globalization;
using System.Security;
using System.Text;
using BtrfsClone.Benchmarks.Measuring;

namespace BtrfsClone.Benchmarks.Reporting;

/// <summary>The ratios as bars in an SVG: a bar that ends before the line at 1 is a peer that we beat.</summary>
internal static class Chart
{
    private const int Left = 380;
    private const int Unit = 360;
    private const int Right = 120;
    private const int Row = 20;
    private const int Gap = 12;
    private const int Head = 62;

    /// <summary>Longer bars are cut off here; their number tells.</summary>
    private const double Longest = 1.25;

    public static string Draw(Report report)
    {
        StringBuilder body = new();
        int y = Head;
        foreach (ScenarioResult scenario in report.Scenarios.Where(s => s.Charted && s.States.Count > 0))
        {
            // The first state: warm, or the only one.
            StateResult state = scenario.States[0];
            for (int i = 0; i < state.Ratios.Count; i++)
            {
                DrawRow(body, y, i == 0 ? scenario.Title : "", state.Ratios[i]);
                y += Row;
            }

            y += Gap;
        }

        int width = Left + (int)(Longest * Unit) + Right;
        int one = Left + Unit;
        return $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 24}" font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="#ffffff"/>
            <text x="16" y="24" font-size="15" font-weight="bold">Wall time of ours to a peer's (less is better)</text>
            <text x="16" y="44" fill="#57606a">{Text($"{report.Machine}; medians of {report.Options.Runs} paired runs")}</text>
            {body}<line x1="{one}" y1="{Head - 8}" x2="{one}" y2="{y}" stroke="#24292f" stroke-dasharray="3 3"/>
            <text x="{one}" y="{y + 14}" text-anchor="middle" fill="#57606a">as fast as the peer</text>
            </svg>

            """;
    }

    private static void DrawRow(StringBuilder body, int y, string title, RatioResult ratio)
    {
        double length = Math.Min(ratio.Median, Longest) * Unit;
        string color = ratio.Median <= 1 ? "#2da44e" : "#bf8700";
        double right = Left + length + 6;
        string number = Figures.Ratio(ratio.Median);
        if (title.Length > 0)
        {
            body.Append(CultureInfo.InvariantCulture, $"<text x=\"16\" y=\"{y + 12}\" font-weight=\"bold\">{Text(title)}</text>\n");
        }

        body.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{y + 12}\" text-anchor=\"end\">{Text(ratio.Peer)}</text>\n");
        body.Append(
            CultureInfo.InvariantCulture,
            $"<rect x=\"{Left}\" y=\"{y}\" width=\"{length:0.0}\" height=\"{Row - 4}\" fill=\"{color}\"/>\n");
        body.Append(CultureInfo.InvariantCulture, $"<text x=\"{right:0.0}\" y=\"{y + 12}\">{number}</text>\n");
    }

    private static string Text(string text) => SecurityElement.Escape(text);
}
