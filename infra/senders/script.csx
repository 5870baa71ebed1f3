// Signs what a flow of Power Automate tells sessionstamp, as Standard Webhooks says: the code
// of a custom connector (https://learn.microsoft.com/connectors/custom-connectors/write-code).
// The connection's API key, in the header x-secret, is whsec_ and base64. It isn't sent on.
public class Script : ScriptBase
{
    public override async Task<HttpResponseMessage> ExecuteAsync()
    {
        var request = this.Context.Request;
        var secret = request.Headers.GetValues("x-secret").First().Trim();
        request.Headers.Remove("x-secret");
        var key = Convert.FromBase64String(secret.StartsWith("whsec_") ? secret.Substring(6) : secret);

        // The bytes that are signed are those that are sent.
        var body = await request.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
        var id = "flow-" + this.Context.CorrelationId;
        var timestamp = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString();
        var signed = Encoding.UTF8.GetBytes(id + "." + timestamp + ".").Concat(body).ToArray();
        using (var hmac = new System.Security.Cryptography.HMACSHA256(key))
        {
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", timestamp);
            request.Headers.Add("webhook-signature", "v1," + Convert.ToBase64String(hmac.ComputeHash(signed)));
        }
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = System.Net.Http.Headers.MediaTypeHeaderValue.Parse("application/json");
        return await this.Context.SendAsync(request, this.CancellationToken).ConfigureAwait(false);
    }
}
