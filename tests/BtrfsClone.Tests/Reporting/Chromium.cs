using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BtrfsClone.Tests.Support;

namespace BtrfsClone.Tests.Reporting;

/// <summary>One page in a headless Chromium, by the DevTools protocol.</summary>
internal sealed class Chromium : IDisposable
{
    public const string Tools = "chromium";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(3));
    private readonly ClientWebSocket _socket = new();
    private readonly Process _process;
    private readonly string _profile;
    private int _commands;

    /// <param name="options">Options of the command line, such as the size of the window.</param>
    public Chromium(params string[] options)
    {
        _profile = Directory.CreateTempSubdirectory("btrfs-clone-chromium-").FullName;
        _process = Shell.Start(
            "chromium",
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
                $"--user-data-dir={_profile}", .. options, "about:blank"]);
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        string address = Connect();
        _socket.ConnectAsync(new Uri(address), _limit.Token).GetAwaiter().GetResult();
        Send("Runtime.enable");
        Send("Log.enable");
        Send("Page.enable");
        Send("Emulation.setFocusEmulationEnabled", new { enabled = true });
        Send("Network.enable");
    }

    /// <summary>What went wrong, or asked for something: exceptions, messages, dialogs, and requests for anything but the page.</summary>
    public List<string> Troubles { get; } = [];

    /// <summary>Opens a page, and waits until it is drawn.</summary>
    public void Open(string file)
    {
        Send("Page.navigate", new { url = "file://" + file });
        WaitFor("document.body?.dataset.drawn !== undefined || document.getElementById('broken')?.hidden === false");
        Assert.True(Is("document.getElementById('broken').hidden"), Text("document.getElementById('broken').textContent"));
    }

    public bool Is(string expression) => Evaluate(expression).GetBoolean();

    public string Text(string expression) => Evaluate(expression).GetString()!;

    /// <summary>What JSON.parse reads of an expression's text.</summary>
    public JsonElement Json(string expression) => JsonDocument.Parse(Text($"JSON.stringify({expression})")).RootElement;

    public void WaitFor(string expression)
    {
        var elapsed = Stopwatch.StartNew();
        while (!Is($"!!({expression})"))
        {
            Assert.True(elapsed.Elapsed < s_limit, $"This did not come true: {expression}. {string.Join('\n', Troubles)}");
            Thread.Sleep(20);
        }
    }

    /// <summary>Presses a key as a keyboard does.</summary>
    public void Press(string key, string text = "")
    {
        int code = key switch { "Enter" => 13, "Backspace" => 8, "ArrowRight" => 39, "Escape" => 27, _ => 0 };
        Send("Input.dispatchKeyEvent", new { type = "keyDown", key, text, windowsVirtualKeyCode = code });
        Send("Input.dispatchKeyEvent", new { type = "keyUp", key, windowsVirtualKeyCode = code });
    }

    public void Prefer(string scheme) =>
        Send("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = scheme } } });

    public void Dispose()
    {
        _socket.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _limit.Dispose();
        Shell.Run("rm", "-rf", _profile);
    }

    /// <summary>Waits until the browser listens, and finds its page.</summary>
    private string Connect()
    {
        var elapsed = Stopwatch.StartNew();
        using HttpClient http = new();
        string file = Path.Combine(_profile, "DevToolsActivePort");
        while (true)
        {
            Assert.True(elapsed.Elapsed < s_limit && !_process.HasExited, "Chromium has not started.");
            if (File.Exists(file) && File.ReadAllLines(file) is [{ } port, ..])
            {
                string list = http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/json/list"), _limit.Token).GetAwaiter().GetResult();
                if (JsonNode.Parse(list)!.AsArray().FirstOrDefault(page => (string?)page!["type"] == "page") is { } found)
                {
                    return (string)found["webSocketDebuggerUrl"]!;
                }
            }

            Thread.Sleep(50);
        }
    }

    private JsonElement Evaluate(string expression)
    {
        JsonElement answer = Send("Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
        Assert.False(answer.TryGetProperty("exceptionDetails", out JsonElement failure), $"{expression}: {failure}");
        return answer.GetProperty("result").TryGetProperty("value", out JsonElement value)
            ? value
            : throw new InvalidOperationException($"{expression} has no value.");
    }

    private JsonElement Send(string method, object? parameters = null)
    {
        int id = ++_commands;
        byte[] command = JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters ?? new { } });
        _socket.SendAsync(command, WebSocketMessageType.Text, true, _limit.Token).GetAwaiter().GetResult();
        while (true)
        {
            JsonElement message = Receive();
            if (message.TryGetProperty("id", out JsonElement answered) && answered.GetInt32() == id)
            {
                return message.TryGetProperty("result", out JsonElement result)
                    ? result
                    : throw new InvalidOperationException($"{method}: {message}");
            }

            Note(message);
        }
    }

    private JsonElement Receive()
    {
        using MemoryStream text = new();
        byte[] buffer = new byte[1 << 16];
        WebSocketReceiveResult part;
        do
        {
            part = _socket.ReceiveAsync(buffer, _limit.Token).GetAwaiter().GetResult();
            text.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonDocument.Parse(Encoding.UTF8.GetString(text.ToArray())).RootElement;
    }

    private void Note(JsonElement message)
    {
        string method = message.TryGetProperty("method", out JsonElement named) ? named.GetString()! : "";
        bool isTrouble = method is "Runtime.exceptionThrown" or "Runtime.consoleAPICalled" or "Log.entryAdded"
            or "Page.javascriptDialogOpening";
        bool isRequest = method == "Network.requestWillBeSent" &&
            message.GetProperty("params").GetProperty("request").GetProperty("url").GetString() is { } url &&
            !url.StartsWith("file:///", StringComparison.Ordinal) && !url.StartsWith("data:,", StringComparison.Ordinal) &&
            url != "about:blank";
        if (isTrouble || isRequest)
        {
            Troubles.Add(message.ToString());
        }
    }
}
